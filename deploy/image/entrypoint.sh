#!/bin/sh
# Starts `syncer`. Some platforms can hand over a setting or a certificate only as an environment variable: these
# become files first, under $TMPDIR, readable by nobody else.
#   SETTINGS_YAML   the settings, whole; then SYNCER_CONFIG names the file that is made of it
#   CONSUL_CA_PEM   the certificate of Consul's authority; then consul.tls.ca_file names the file
set -eu
umask 077

if [ -n "${SETTINGS_YAML:-}" ]; then
    SYNCER_CONFIG=$TMPDIR/syncer.yaml
    printf '%s\n' "$SETTINGS_YAML" >"$SYNCER_CONFIG"
    export SYNCER_CONFIG
    unset SETTINGS_YAML
fi
if [ -n "${CONSUL_CA_PEM:-}" ]; then
    SYNCER_CONSUL__TLS__CA_FILE=$TMPDIR/consul-ca.pem
    printf '%s\n' "$CONSUL_CA_PEM" >"$SYNCER_CONSUL__TLS__CA_FILE"
    export SYNCER_CONSUL__TLS__CA_FILE
    unset CONSUL_CA_PEM
fi
exec /opt/syncer/bin/syncer "$@"
