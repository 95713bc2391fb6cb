#!/bin/sh
# usage: REFUSED="NAME …" EMPTIED="NAME …" UNCLEAR="NAME …" KNOWN="NAME …" sh requirements/variables.sh
#
# Say what is wrong with the variables that make was given: unknown ones, with the name that was probably meant, ones
# without a value, and switches that are neither on nor off. The exit status is always 2.
set -u

# nearest NAME: print the known variable with the fewest changes to NAME, if these are few.
nearest() {
    WORD=$1 awk 'BEGIN {
        word = toupper(ENVIRON["WORD"]); least = 3; best = ""
        count = split(ENVIRON["KNOWN"], known, /[ \t]+/)
        for (k = 1; k <= count; k++) {
            name = known[k]; changes = distance(word, name)
            if (length(name) >= 3 && (index(word, name) == 1 || index(name, word) == 1)) changes = changes > 1 ? 2 : changes
            if (name != "" && changes < least && changes < length(name)) { least = changes; best = name }
        }
        print best
    }
    function distance(a, b,    i, j, row, before, above, least) {
        for (j = 0; j <= length(b); j++) row[j] = j
        for (i = 1; i <= length(a); i++) {
            before = row[0]; row[0] = i
            for (j = 1; j <= length(b); j++) {
                above = row[j]
                least = before + (substr(a, i, 1) != substr(b, j, 1))
                if (above + 1 < least) least = above + 1
                if (row[j - 1] + 1 < least) least = row[j - 1] + 1
                row[j] = least; before = above
            }
        }
        return row[length(b)]
    }'
}

for name in $REFUSED; do
    near=$(nearest "$name")
    if [ -n "$near" ]; then
        printf '%s: no such variable. Did you mean %s?\n' "$name" "$near" >&2
    else
        printf '%s: no such variable. There are: %s\n' "$name" "$(echo $KNOWN | tr ' ' '\n' | sort | tr '\n' ' ')" >&2
    fi
done
for name in $EMPTIED; do
    printf '%s: has no value. Give it one, or leave out %s=\n' "$name" "$name" >&2
done
for name in $UNCLEAR; do
    printf '%s: should be 1 (or yes, true, on) or 0 (or no, false, off)\n' "$name" >&2
done
exit 2
