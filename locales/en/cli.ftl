# Texts of the command line in English. Written by meaning, not translated; a test keeps the keys of both languages equal.

## Columns
cli-col-route = ROUTE
cli-col-count = COUNT
cli-col-total = TOTAL TIME
cli-col-share = SHARE
cli-col-mean = MEAN
cli-col-errors = 5XX
cli-col-error-ratio = 5XX %
cli-col-file = FILE
cli-col-lines = LINES
cli-col-parsed = PARSED
cli-col-rejected = REJECTED
cli-col-already = ALREADY IN
cli-col-first-error = FIRST REJECTED LINE
cli-col-id = ID
cli-col-name = NAME
cli-col-scope = SCOPE
cli-col-prefix = STARTS WITH
cli-col-made = MADE
cli-col-used = LAST USED
cli-col-password = PASSWORD SET
cli-col-check = CHECK
cli-col-verdict = VERDICT
cli-col-detail = FOUND
cli-col-advice = WHAT TO DO

## koshu up
cli-up-data = koshu { $version } keeps its data in { $dir }
cli-up-found = found { $path }: { $problem }
cli-up-following = following { $path } as service { $service }, from now on; to import its past ({ $size }): koshu import --service { $service } { $path }*
cli-up-sign-in-once = Sign in (works once, for one hour): { $url }
cli-up-sign-in = Sign in: { $url }
cli-up-stopping = stopping

## koshu access
cli-access-lines = { $lines } lines: { $parsed } parsed, { $rejected } rejected; format { $format }
cli-access-no-format = not recognised
cli-access-span = from { $from } to { $to }
cli-access-total = { $count } requests of { $routes } routes, { $errors } answered with 5xx; users waited { $waited }
cli-access-untimed = for a time this log does not tell
cli-access-more-rows = { $rows } more routes are not shown (--limit)
cli-access-error = Percentiles are within { $percent } % (--exact: without error)
cli-access-exact = Percentiles are exact (nearest rank)
cli-access-some-untimed = { $count } requests have no response time; times and shares are of the others
cli-access-interval = Behind each 5xx ratio: its 95 % interval
cli-access-other = More than { $limit } routes: about { $routes } more are counted as (other), { $count } requests
cli-access-rejected = { $count } lines were rejected; for each reason one of them, with values masked:

## koshu import
cli-import-waiting = the server is busy, going on in { $seconds } s
cli-import-again = What was acknowledged is stored. Run the same command again: it goes on where it stopped, and counts nothing twice.
cli-import-race = { $file } is being imported by another program at the same time
cli-import-pattern = a pattern belongs to its service in koshu.yaml; import with --format auto

## koshu query
cli-query-rows = { $rows } rows in { $took }, from { $from } to { $to }
cli-query-truncated = There are more rows: raise --limit, or aggregate in SQL
cli-query-damaged = Left out because it is damaged: { $file } (koshu fsck tells more)
cli-range-backwards = --from lies after --to

## koshu tail
cli-tail-lost = the connection ended; trying again in { $seconds } s, rows of that time are not shown
cli-tail-dropped = { $count } rows came too fast and are not shown
cli-tail-not-koshu = the answer is no stream of Koshu

## koshu check
cli-check-good = The configuration is good; files read: { $files }
cli-check-bad = Problems: { $problems }

## koshu token, koshu user
cli-token-once = This is shown once. Keep it like a password.
cli-token-deleted = Deleted: from now on it is refused.
cli-token-none = there is no token { $token }
cli-token-none-hint = koshu token list shows ids
cli-token-two = several tokens start with { $token }; give the id
cli-link-once = Works once, for one hour. Earlier links no longer work.
cli-password-prompt = New password (it shows while you type; or pipe it in):
cli-password-set = The password is set. All sessions of this account have ended.
cli-user-none = there is no account { $name }
cli-user-none-hint = koshu user list shows them
cli-no-store = there is no store in { $dir }
cli-no-store-hint = Name the data folder with --dir; koshu up makes it at its first start
cli-config-broken = the configuration is broken
cli-config-broken-hint = koshu check DIR shows where

## koshu fsck
cli-fsck-checked = Looked at { $segments } journal segments and { $files } files: { $rows } rows, { $bytes }
cli-fsck-good = Nothing is damaged.
cli-fsck-bad = Damaged parts: { $count }. Everything else is served. Restore these files from a backup if you have one.
cli-no-lake = there is no lake in { $dir }
cli-no-lake-hint = Name the data folder with --dir
cli-lake-in-use = the lake in { $dir } is in use by a server
cli-lake-in-use-hint = Stop the server first: a check needs the lake for itself

## koshu doctor
cli-doctor-config = Run koshu check on the folder, and correct what it shows
cli-doctor-folder = Give write access to the user that runs koshu, or choose another folder with --dir
cli-doctor-not-a-folder = There is a file in the place of the folder: move it, or choose another folder with --dir
cli-doctor-disk = Free some space: without it new records are refused (reading goes on)
cli-doctor-disk-budget = Set server.disk to less than what is free
cli-doctor-memory = Give it more memory (server.memory), or expect queries to meet their limit
cli-doctor-memory-budget = Set server.memory to less than the machine has
cli-doctor-files = Raise the limit of open files (ulimit -n, LimitNOFILE) to 4096
cli-doctor-store = Start the version that wrote it, or restore a backup
cli-doctor-first-start = made at the first start
cli-doctor-free = is free
cli-doctor-not-ready = The server answers but is not ready; its log says why
cli-doctor-port = Another program uses the usual port: start with --http 127.0.0.1:0
cli-doctor-clock = Set the machine's clock (NTP): times of records and sign-ins depend on it

## Failures
cli-cannot-open = failed to read { $file }
cli-is-a-folder = { $file } is a folder
cli-is-a-folder-hint = Name the files in it: { $file }/*
cli-unreachable = the server at { $server } is not reachable
cli-unreachable-hint = Start it with koshu up, or say where it is: --server URL or --dir DIR
cli-no-token = the server at { $server } wants a token
cli-no-token-hint = Name one with --token-file or KOSHU_TOKEN; --dir DIR uses the one of the data folder; koshu token create makes one
cli-forbidden = the server at { $server } does not allow this: { $detail }
cli-forbidden-hint = The token's scope does not cover it; koshu token create --scope makes another
cli-refused = the server at { $server } answered { $status }: { $detail }
cli-not-koshu = { $server } points elsewhere (status { $status }); name the address of Koshu itself
cli-request-bad = the request could not be built
cli-bad-address = { $server } is no address; write for example http://127.0.0.1:4649
cli-listen-http-off = --listen http=off would leave no way in
cli-access-pattern = --pattern cannot be used
cli-access-no-pattern = --format pattern needs the regular expression: use --pattern REGEX
cli-no-command = there is no command { $name }
cli-no-command-hint = koshu --help lists them

## koshu rules
cli-rules-replaying = going through the past
cli-rules-replayed = { $alerts } alerts, { $tickets } tickets, { $records } records between { $from } and { $to }
cli-rules-cut = There was not enough time or memory to go on to { $to }: ask for the rest with --from, or try fewer rules
cli-rules-more = { $more } more are not listed: ask for a shorter time
cli-rules-not-replayed = { $rule } was left out: { $why }
cli-rules-sampled = { $rule } was evaluated every { $seconds } s only: ask for a shorter time to have it every minute
cli-rules-compared = { $before } alerts with the rules in force, { $after } with these; of { $incidents } alerts that made somebody act, { $missed } would be missed

## koshu check --send-test
cli-test-none = no channel is configured: nobody would hear of an alert
cli-test-none-hint = add `outputs:` to koshu.yaml
cli-test-sent = Sent to { $outputs } channels. Follow the link in each message and say that it arrived; waiting up to { $wait }.
cli-test-acknowledged = arrived, says a person
cli-test-delivered = taken, nobody has said that it arrived
cli-test-failed = refused
cli-test-tried-again = not taken, being tried again
cli-test-again = { $output }: not taken, being tried again: { $why }
cli-test-waiting = not taken yet
