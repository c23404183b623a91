#!/bin/sh
# Makes mail-light.png and mail-dark.png anew: the mails that tests/mail.rs keeps as golden files, each as wide as a
# telephone (375 pixels), in Chromium or another of its kind named in $CHROMIUM. Fails when the dark one is not dark.
# Keeps them small with `pngquant`, where it is installed.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in arabic cyrillic; do
    sed -n '/^<!DOCTYPE/,$p' "$here/../tests/golden/notify/picture-$name.html.snap" >"$folder/$name.html"
done
cat >"$folder/both.html" <<'EOF'
<!DOCTYPE html>
<meta name="color-scheme" content="light dark">
<style>body { margin: 0; } iframe { width: 375px; height: 1370px; border: 0; }</style>
<iframe src="cyrillic.html"></iframe><iframe src="arabic.html"></iframe>
<p id="scheme"></p>
<script>
scheme.textContent = matchMedia("(prefers-color-scheme: dark)").matches ? "it is dark" : "it is light";
</script>
EOF
# 0 is dark and 1 is light, in the numbers of the browser.
for scheme in "light 1" "dark 0"; do
    set -- $scheme
    browse() {
        "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-lcd-text --user-data-dir="$folder/profile" \
            --blink-settings="preferredColorScheme=$2" --window-size=754,1370 "$3" "file://$folder/both.html" 2>/dev/null
    }
    browse "$1" "$2" --dump-dom | grep -q "it is $1" || { echo "the browser did not take the scheme: $1" >&2; exit 1; }
    browse "$1" "$2" --screenshot="$here/mail-$1.png"
    ! command -v pngquant >/dev/null || pngquant --force --strip --speed 1 64 --output "$here/mail-$1.png" "$here/mail-$1.png"
done
