#!/bin/sh
# Writes .env with new keys, for compose.yaml and for systemd. It never changes a file that exists.
set -eu
file=${1:-.env}
random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }
umask 077
set -C  # fail rather than overwrite
cat > "$file" <<END
# Keep a copy of this file where no backup of the database is: without TOKEN_KEYS no bank can be read.
SECRET_KEY=$(random)
TOKEN_KEYS=$(random)
POSTGRES_PASSWORD=$(random | tr -d '=')

# From https://dashboard.plaid.com/developers/keys
PLAID_CLIENT_ID=
PLAID_SECRET_KEY=
# sandbox or production
PLAID_ENV=sandbox

# Where people and Plaid's webhooks reach this site, such as https://bank.example
PUBLIC_URL=
# How many proxies are in front of it: 1 for Caddy alone
TRUSTED_PROXIES=1
END
echo "$file has new keys. Put PLAID_CLIENT_ID, PLAID_SECRET_KEY and PUBLIC_URL there."
