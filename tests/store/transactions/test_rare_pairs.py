"""Which pairs of a word a search looks up in its index."""

from datetime import date

from plaidapp.store.base.search_terms import pairs_of, parts_of, tokens_of
from plaidapp.store.transactions import rare_pairs, search
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.reader import count


def rows_with(*names):
    return [pairs_of(name) for name in names]


def rarest(word, rows):
    (part,) = parts_of(word)
    return rare_pairs.rarest(tokens_of(part), rows)


def test_two_pairs_are_looked_up_if_no_row_has_both():
    rows = rows_with(*["renting terrier"] * 50, "work", "kayak")
    assert sorted(rarest("renterka", rows)) == ["ka", "rk"]


def test_another_pair_is_looked_up_if_it_leaves_fewer_rows():
    rows = rows_with(*["abc"] * 40, *["bcd"] * 40, *["ab cd"] * 40, *["abcd"] * 10)
    assert sorted(rarest("abcd", rows)) == ["ab", "bc", "cd"]


def test_another_pair_is_looked_up_if_it_leaves_out_a_single_row():
    assert sorted(rarest("abcd", rows_with("abc", "bcd", "ab cd"))) == ["ab", "bc", "cd"]


def test_no_pair_is_looked_up_that_leaves_the_same_rows():
    assert len(rarest("netflix", rows_with(*["netflix"] * 100))) == rare_pairs.LEAST


def test_without_rows_two_pairs_are_looked_up():
    assert len(rarest("vistosol", [])) == rare_pairs.LEAST
    assert rarest("ab", []) == ["ab"]


def test_a_search_finds_the_same_rows_whichever_pairs_it_looks_up(owner, item, save, transaction):
    """The newest rows have none of the pairs: the row that has them all is an older one."""
    older = [("abcd efgh", 1), ("ab bc cd", 2), ("abcd", 3), ("xabcdx", 4), ("abc bcd", 5)]
    rows = [transaction(f"old{day}", name=name, date=date(2020, 1, day)) for name, day in older]
    newest = [transaction(f"new{number}", name="quiz") for number in range(rare_pairs.SAMPLE)]
    save(item, *rows, *newest)
    assert count(Filter(owner, search=search.words("abcd"))) == 3
    assert count(Filter(owner, search=search.words("abcd ef"))) == 1
    assert count(Filter(owner, search=search.words("qui"))) == rare_pairs.SAMPLE
