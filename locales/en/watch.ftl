# Messages about firings: chat, mail, issues. Written by meaning, not translated; a test keeps the keys of both languages
# equal.

## Titles
watch-title-fire-alert = Alert: { $what }
watch-title-fire-ticket = Ticket: { $what }
watch-title-resolve = Ended: { $what }
watch-title-folded = Began and ended: { $what }
watch-title-remind = Overdue: { $what }
watch-title-escalate = Nobody has acknowledged: { $what }
watch-title-test = Test of this channel
watch-title-heartbeat = Koshu is well
watch-title-more = { $title } (and { $count } more)

## Texts
watch-text-fire-alert = Somebody has to act now: { $condition }.
watch-text-fire-ticket = Somebody has to act within days: { $condition }.
watch-text-resolve = This has ended: { $condition }.
watch-text-folded = This began at { $began } and ended at { $ended }: { $condition }. The channel could not be reached meanwhile, so this one message tells both.
watch-text-remind = The due date has passed: { $condition }.
watch-text-escalate = Nobody has acknowledged this alert, so you are asked: { $condition }.
watch-text-test = Koshu sends this to find out whether its messages arrive. Please follow the link below and say that it did: only then does the channel count as working.
watch-text-heartbeat = A synthetic event went through intake, lake, rule and outbox.

## Told by an agent whose server is silent
watch-silent-condition = the Koshu server { $server } does not answer the agent of { $host } ({ $why })
watch-silent-action = See whether the server runs and can be reached (koshu doctor on its machine). Until it is back, nobody is told of anything else.

## What a rule detects. In English the words are those of the program, which firings keep: a test keeps them equal.
watch-detects-above = { $what } above { $limit }
watch-detects-above-for = { $what } above { $limit } for { $hold }
watch-detects-below = { $what } below { $limit }
watch-detects-below-for = { $what } below { $limit } for { $hold }
watch-detects-burn = { $objective } of { $service } burning its budget too fast (target { $target } %)
watch-detects-no-data = no data: { $what } for { $after }
watch-detects-of = { $signal } of { $of }
watch-detects-query = the query's value
watch-detects-query-of = the query's value of { $of }
watch-of-route = { $name }
watch-of-each-route = each route
watch-of-service = service { $name }
watch-of-each-service = each service
watch-of-host = host { $name }
watch-of-each-host = each host
watch-of-check = check { $name }
watch-of-each-check = each check
watch-of-error-group = error group { $name }
watch-of-each-error-group = each error group
watch-of-heartbeat = heartbeat { $name }
watch-of-each-heartbeat = each heartbeat
watch-of-process = process { $name }
watch-of-each-process = each process
watch-of-objective = objective { $name }
watch-of-each-objective = each objective

## Facts
watch-fact-action = First thing to do
watch-fact-service = Service
watch-fact-series = Where
watch-fact-began = Began
watch-fact-ended = Ended
watch-fact-value = Measured
watch-fact-threshold = Limit
watch-fact-owner = Owner
watch-fact-due = Due
watch-fact-rule = Rule
watch-also = Also: { $what }

## Links
watch-link-firing = Open
watch-link-ack = Acknowledge
watch-link-runbook = Runbook
watch-link-test = It arrived

## What a person must do about a channel
watch-advice-address = The address is gone. Make a new webhook and put it into the configuration.
watch-advice-secret = The secret is not accepted. Put a valid one into the configuration.
watch-advice-permission = The secret is valid but may not do this. Give it the right to write there.
watch-advice-content = The service does not take this message. If the channel has a template, check it; otherwise please report this.
watch-advice-size = The message is larger than the service takes. If the channel has a template, shorten it.
watch-advice-recipient = The recipient is not accepted. Check the address to which the channel sends.
watch-advice-redirect = The address answers with a redirect, which is not followed. Put the final address into the configuration.

## Monthly availability
watch-report-title = Availability of { $service } in { $month }
watch-report-range = From { $from } to { $to } ({ $zone }).
watch-report-target = Target: { $target } %, which leaves { $allowed } minutes.
watch-report-definition = Definition
watch-report-with = Maintenance counted
watch-report-without = Maintenance left out
watch-report-by-time = By time: good minutes of those with requests
watch-report-by-requests = By requests: good ones of all
watch-report-by-users = By users: minutes in which they could use it, of those in which they tried
watch-report-no-data = no data
watch-report-counts = { $good } of { $all }
watch-report-unknown = Minutes without requests: { $minutes }. They count neither as good nor as bad.
watch-report-maintenance = Minutes of announced maintenance: { $minutes }.
watch-report-disappointed = Users who met at least one error: { $disappointed } of { $users }.
watch-report-users-unknown = Users who met an error: not known. No users were told apart, or they could not be counted.
watch-report-incomplete = Known only in part: { $days }. Some or all requests of these days are no longer stored: retention or the disk budget deleted them, or a file is damaged. Whom they concerned is not known. `server.retention.requests: 62d` and enough `server.disk` keep whole months.
watch-report-days = { $first } to { $last }
watch-report-interval = 95 % interval of the share of good requests: { $low } % to { $high } %, as if they were independent of each other.
watch-report-worst = Worst windows
watch-report-length = Length
watch-report-from = From
watch-report-share = Availability
watch-report-requests = Requests
watch-report-how = A minute is good when at least { $share } % of its requests were. For a user the service is as the last request was, for at most { $cutoff }. All shares are rounded down.
