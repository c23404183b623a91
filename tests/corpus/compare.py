"""Compares what Harmattan and feedparser read from feedparser's own corpus. Called by run.sh."""

import calendar
import concurrent.futures
import datetime
import html
import json
import pathlib
import re
import subprocess
import sys

import feedparser

PROGRAM, CORPUS = sys.argv[1], pathlib.Path(sys.argv[2])
FOLDERS = ["wellformed", "illformed", "encoding", "entities"]
FIELDS = ["title", "link", "id", "date"]
DATES = ["published_parsed", "updated_parsed", "created_parsed"]
# What relative links belong to, for both.
BASE = "http://corpus.example/feeds/feed.xml"


def plain(markup):
    """Markup as a reader sees it."""
    return spaced(html.unescape(re.sub(r"<[^>]*>", "", markup)))


def spaced(text):
    return " ".join(text.split())


def theirs(path):
    """The entries as feedparser reads them."""
    rows = []
    headers = {"content-location": BASE, "content-type": "application/xml"}
    feed = feedparser.parse(path.read_bytes(), response_headers=headers)
    for entry in feed.entries:
        date = next((entry[key] for key in DATES if entry.get(key)), None)
        rows.append(
            {
                "title": plain(entry.get("title") or ""),
                "link": entry.get("link") or "",
                "id": entry.get("id") or "",
                "date": calendar.timegm(date) if date else None,
            }
        )
    return rows


def ours(path):
    """The entries as Harmattan reads them, and what it says beside them."""
    command = [PROGRAM, "preview", "--json", "--as", "feed", "--base", BASE, str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    rows, said = [], done.stderr.decode(errors="replace")
    for line in map(json.loads, done.stdout.decode().splitlines()):
        if "id" not in line:
            said += json.dumps(line)
            continue
        date = line.get("published") or line.get("updated")
        rows.append(
            {
                "title": spaced(line.get("title") or ""),
                "link": line.get("url") or "",
                "id": line.get("guid") or "",
                "date": date and int(datetime.datetime.fromisoformat(date).timestamp()),
            }
        )
    return rows, said, done.returncode


def both(path):
    return path, theirs(path), *ours(path)


def main():
    paths = [path for folder in FOLDERS for path in sorted((CORPUS / folder).rglob("*")) if path.is_file()]
    counts = {folder: [0, 0, 0] for folder in FOLDERS}
    agree, shared, odd, silent, broken = 0, 0, dict.fromkeys(FIELDS, 0), [], []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for path, wanted, read, said, status in pool.map(both, paths):
            name = path.relative_to(CORPUS)
            count = counts[name.parts[0]]
            count[0] += 1
            count[1] += len(wanted)
            count[2] += min(len(wanted), len(read))
            if status not in (0, 1) or "panicked" in said or "ended in a bug" in said:
                broken.append(f"{name}: status {status}: {said}")
            if wanted and not read and not said:
                silent.append(str(name))
            if len(wanted) != len(read):
                print(f"  {name}: {len(read)} entries, feedparser {len(wanted)}")
            for ours, theirs in zip(read, wanted):
                shared += 1
                differ = [field for field in FIELDS if ours[field] != theirs[field]]
                agree += not differ
                for field in differ:
                    odd[field] += 1
                    print(f"  {name}: {field} {ours[field]!r}, feedparser {theirs[field]!r}")
    for folder, (files, wanted, read) in counts.items():
        print(f"{folder}: {files} files, {read} of the {wanted} entries that feedparser reads")
    print(f"all four fields agree in {agree} of {shared} entries ({100 * agree / max(shared, 1):.1f} %);", end=" ")
    print("they differ in", ", ".join(f"{field} {count}" for field, count in odd.items()))
    print(f"silently empty: {silent or 'none'}; broken: {broken or 'none'}")


main()
