# shellcheck shell=bash
# Named phases with their duration, for scripts that do several long things. Sourced, never run.
#
# `phase NAME COMMAND...` runs a command; `skip NAME WHY` says that one was left out. When the script ends, for whatever
# reason, the durations are printed, and the phase that failed is named.

phase_lines=()
phase_now=""

phase() {
  local name="$1" started="$SECONDS"
  shift
  phase_now="$name"
  printf '\n==> %s\n' "$name"
  "$@"
  phase_lines+=("$(phase_line "$name" "$((SECONDS - started))s")")
  phase_now=""
}

skip() {
  printf '\n==> %s: skipped, %s\n' "$1" "$2"
  phase_lines+=("$(phase_line "$1" "skipped: $2")")
}

phase_line() {
  printf '%-24s %s' "$1" "$2"
}

phases_end() {
  local status="$?"
  printf '\n-- phases -------------------------\n'
  ((${#phase_lines[@]} == 0)) || printf '%s\n' "${phase_lines[@]}"
  [[ -z "$phase_now" ]] || phase_line "$phase_now" $'FAILED\n'
  phase_line total "${SECONDS}s"$'\n'
  exit "$status"
}

trap phases_end EXIT
