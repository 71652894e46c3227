"""Institutions (https://plaid.com/docs/api/institutions/)."""

from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import errors
from sandbox.context import current_sandbox
from sandbox.http_json import Call, Options, read, reply
from sandbox.institution_health import status
from sandbox.institutions import BY_ID, INSTITUTIONS, Country, Institution, Product

bp = Blueprint("institutions", __name__)

Countries = Annotated[list[Country], Meta(min_length=1)]
Products = Annotated[list[Product], Meta(min_length=1)]


class InstitutionOptions(Options):
    """The options that all endpoints of this module share."""

    include_optional_metadata: bool | None = False
    include_auth_metadata: bool | None = False
    include_payment_initiation_metadata: bool | None = False


class GetOptions(InstitutionOptions):
    products: Products | None = None
    routing_numbers: list[str] | None = None
    oauth: bool | None = None


class ByIdOptions(InstitutionOptions):
    include_status: bool = False


class SearchOptions(InstitutionOptions):
    oauth: bool | None = None
    payment_initiation: Any = None


class GetCall(Call, kw_only=True):
    count: Annotated[int, Meta(ge=1, le=500)]
    offset: Annotated[int, Meta(ge=0)]
    country_codes: Countries
    options: GetOptions = msgspec.field(default_factory=GetOptions)


class ByIdCall(Call, kw_only=True):
    institution_id: Annotated[str, Meta(min_length=1)]
    country_codes: Countries
    options: ByIdOptions = msgspec.field(default_factory=ByIdOptions)


class SearchCall(Call, kw_only=True):
    query: Annotated[str, Meta(min_length=1)]
    country_codes: Countries
    products: Products | None = None
    options: SearchOptions = msgspec.field(default_factory=SearchOptions)


@bp.post("/institutions/get")
def get() -> Response:
    call = read(GetCall)
    options = call.options
    found = _matching(call.country_codes, options.products, options.oauth)
    wanted = set(options.routing_numbers or ())
    found = [institution for institution in found if wanted <= set(institution.routing_numbers)]
    page = found[call.offset : call.offset + call.count]
    return reply(institutions=[_to_dict(one, options) for one in page], total=len(found))


@bp.post("/institutions/get_by_id")
def get_by_id() -> Response:
    call = read(ByIdCall)
    institution = BY_ID.get(call.institution_id)
    if institution is None or not set(call.country_codes) & set(institution.countries):
        raise errors.invalid_institution()
    fields = _to_dict(institution, call.options)
    if call.options.include_status:
        sandbox = current_sandbox()
        with sandbox.store.read() as db:
            fields["status"] = status(db, institution.institution_id, sandbox.now())
    return reply(institution=fields)


@bp.post("/institutions/search")
def search() -> Response:
    """Return at most ten institutions. Names that begin with the query come first."""
    call = read(SearchCall)
    query = call.query.casefold()
    found = [
        institution
        for institution in _matching(call.country_codes, call.products, call.options.oauth)
        if query in institution.name.casefold()
    ]
    found.sort(key=lambda institution: not institution.name.casefold().startswith(query))
    return reply(institutions=[_to_dict(institution, call.options) for institution in found[:10]])


def _matching(
    countries: list[Country], products: list[Product] | None, oauth: bool | None
) -> list[Institution]:
    return [
        institution
        for institution in INSTITUTIONS
        if set(countries) & set(institution.countries)
        and set(products or ()) <= institution.products
        and oauth in (None, institution.oauth)
    ]


def _to_dict(institution: Institution, options: InstitutionOptions) -> dict[str, Any]:
    return institution.to_dict(
        metadata=bool(options.include_optional_metadata), auth=bool(options.include_auth_metadata)
    )
