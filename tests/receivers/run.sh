#!/usr/bin/env bash
# Harmattan against receivers that others wrote: Postfix with STARTTLS and AUTH, Debian's prometheus-alertmanager, and
# the Standard Webhooks library of Python. It installs them and configures Postfix: run it as root in a container.
#
# tests/receivers/run.sh [HARMATTAN]     the program; target/release/harmattan without
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../../target/release/harmattan}")

export DEBIAN_FRONTEND=noninteractive
echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections
apt-get update -qq
apt-get install -y -qq --no-install-recommends postfix sasl2-bin libsasl2-modules openssl prometheus-alertmanager python3-venv >/dev/null

folder=$(mktemp -d)
trap 'postfix stop >/dev/null 2>&1 || true; kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install standardwebhooks

# A relay that takes mail from those who log in over STARTTLS, and keeps it for the user `desk`.
id desk >/dev/null 2>&1 || useradd --create-home desk
rm -f /var/mail/desk
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout /etc/postfix/key.pem -out "$folder/leaf.csr" 2>/dev/null
openssl x509 -req -in "$folder/leaf.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 2 \
  -extfile <(echo 'subjectAltName=DNS:localhost') -out /etc/postfix/cert.pem 2>/dev/null
cat >/etc/postfix/sasl/smtpd.conf <<'CONF'
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
CONF
echo 'a pass:word' | saslpasswd2 -p -c -u localhost alerts
chgrp postfix /etc/sasldb2
postconf -e myhostname=localhost mydestination=localhost inet_interfaces=loopback-only inet_protocols=ipv4 \
  smtpd_tls_cert_file=/etc/postfix/cert.pem smtpd_tls_key_file=/etc/postfix/key.pem smtpd_tls_security_level=encrypt \
  smtpd_tls_auth_only=yes smtpd_sasl_auth_enable=yes smtpd_sasl_local_domain=localhost \
  'smtpd_relay_restrictions=permit_sasl_authenticated,reject' 'smtpd_recipient_restrictions=permit_sasl_authenticated,reject' \
  maillog_file=/dev/stdout mailbox_command=
postconf -M 'submission/inet=submission inet n - n - - smtpd'
postfix start >/dev/null 2>&1 || postfix reload
prometheus-alertmanager --config.file=/etc/prometheus/alertmanager.yml --storage.path="$folder/am" \
  --web.listen-address=127.0.0.1:19093 --cluster.listen-address= >"$folder/am.log" 2>&1 &

SSL_CERT_FILE="$folder/ca.pem" SMTP_PASSWORD='a pass:word' HOOK_SECRET='whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' \
  "$folder/venv/bin/python" "$here/check.py" "$program" "$folder"
