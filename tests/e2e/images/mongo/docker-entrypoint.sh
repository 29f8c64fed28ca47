#!/bin/bash
# As the official image: options alone mean mongod, root becomes mongodb, and without an address it listens at all of them.
set -euo pipefail

[[ ${1:0:1} != - ]] || set -- mongod "$@"
if compgen -v MONGO_INITDB_ >/dev/null; then
  echo "This stand-in makes no users; the official image does." >&2
  exit 1
fi
if [[ $1 == mongod && $EUID == 0 ]]; then
  chown -R mongodb /data/db /data/configdb
  exec setpriv --reuid=mongodb --regid=mongodb --init-groups "$0" "$@"
fi
[[ $1 != mongod || $* == *--bind_ip* ]] || set -- "$@" --bind_ip_all
exec "$@"
