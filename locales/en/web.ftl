# Texts of the web UI in English. Written by meaning, not translated; the test in web/ keeps the
# keys of both languages equal. <b> is strong, other tags are links.

## Everywhere
nav-label = Pages
nav-home = Home
nav-explorer = Explorer
nav-errors = Errors
nav-traces = Traces
nav-metrics = Metrics
nav-logs = Logs
nav-sources = Sources
nav-settings = Settings
nav-more = More
skip = Skip to content
search-label = Search records
search-hint = Search records  /
service-label = Service
all-services = All services
language-label = Language
copy = Copy
copied = Copied
copy-failed = Could not copy
copy-link = Copy link
copy-csv = Copy CSV
copy-markdown = Copy Markdown
copy-json = Copy JSON
close = Close
cancel = Cancel
apply = Apply
retry = Try again
reload = Reload
refresh = Refresh
loading = Loading
footer = Koshu { $version } on { $host }
never = never
actions = Actions
demo-word = demonstration
no-data = No data for this time
last-value = Latest
time = Time
table = Table
log-scale = Log scale

## Time range
range-label = Time range
range-type = Show this time range
range-example = 15m, 24h, last tuesday
range-help = For example 15m, 24h, 7d, yesterday, last tuesday, tuesday last week, 2026-11-01..2026-11-02, 09:00..10:30
range-wrong = Not understood. Try 15m, 7d, last tuesday or 2026-11-01..2026-11-02
range-zone = Times are shown in { $zone }. Change it in Settings.
range-today = Today
range-yesterday = Yesterday
range-last-week = Last week
range-last-days = { $n ->
    [one] Last day
   *[other] Last { $n } days
}
range-last-hours = { $n ->
    [one] Last hour
   *[other] Last { $n } hours
}
range-last-minutes = { $n ->
    [one] Last minute
   *[other] Last { $n } minutes
}
range-last-seconds = { $n ->
    [one] Last second
   *[other] Last { $n } seconds
}

## When something is wrong
failed-title = This could not be loaded.
failed-since = Failing since { $at }.
stale-title = Not updated since { $at }.
problem-unreachable = The Koshu server does not answer. Is it running?
problem-unexpected = The server sent something unexpected ({ $detail }). The page may be older than the server; reload it.
problem-busy = The server is busy: { $detail }
problem-too-fast = Too many tries. Wait { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
} and try again.
problem-status = The server refused: { $status } { $title }
page-not-loaded = This page could not be loaded. The server may have been updated.
chart-not-loaded = The chart could not be loaded; the table shows the same numbers.
server-away = Koshu cannot be reached
not-found-title = There is no such page
not-found-home = Go to the home page
partial = Incomplete: { $why }

## Keyboard
help-open = Keys
help-title = Keyboard
help-words = Keys do nothing while you type, or while an input method composes.
key-search = Search or filter
key-home = Go to the home page
key-errors = Go to the errors
key-traces = Go to the traces
key-metrics = Go to the metrics
key-logs = Go to the logs
key-explorer = Go to the explorer
key-sources = Go to the sources
key-settings = Go to the settings
key-rows = Next row, previous row
key-open = Open the row
key-view = Lines compact, wrapped or as JSON
key-run = Run the SQL
key-help = This list

## Demonstration
demo-label = Demonstration
demo-strip = <b>This is a demonstration.</b> The shop “{ $service }” and its customers are simulated on this machine.
demo-remove = Remove demonstration
demo-ask-title = Remove the demonstration?
demo-ask = The simulated shop stops, and everything recorded for “{ $service }” is deleted. This cannot be undone. Your own services are not touched.
demo-ask-yes = Remove it

## First page
home-title = Home
home-right = Are users all right?
home-right-answer = { $range }: <b>{ $good }</b> of { $requests } requests were answered without an error; <b>{ $errors }</b> failed ({ $interval }).
home-right-none = { $range }: no requests arrived, so nothing can be said.
home-quiet = { $n ->
    [one] One service
   *[other] { $n } services
} sent no requests in this range
home-quiet-seen = last heard of { $ago }
home-quiet-never = never heard of
home-empty-title = No service has sent anything yet.
home-empty = Koshu looks for access logs on this host by itself: see <sources>what it found</sources>. Or import a log now:
home-who = Who was disappointed, and by what?
home-who-answer = { $range }: <b>{ $users ->
    [one] one person
   *[other] { $users } people
}</b> saw an error. { $recovered } got through on the next try, <b>{ $still } did not</b>.
home-who-worst = Most, { $users }, at <route>{ $route }</route> of { $service }.
home-who-nobody = { $range }: nobody saw an error.
home-who-least = { $range }: <b>at least { $users ->
    [one] one person
   *[other] { $users } people
}</b> saw an error, and { $still ->
    [0] every one got through on the next try
   *[other] <b>at least { $still } did not get through</b> on the next try
}.
people-not-added = People are not added up: somebody who uses several services may be counted in each of them.
people-not-counted = { $range }: <b>not counted.</b> { $n ->
    [one] One request failed, and it names
   *[other] { $n } requests failed, and they name
} no user, so how many people saw an error is not known. <sources>A log with the client's address and browser, or a session</sources> makes it known.
people-unknown = { $n ->
    [one] One more failed request names no user and is
   *[other] { $n } more failed requests name no user and are
} not counted.
not-counted = not counted
home-where = Where does everybody's time go?
home-where-answer = { $range }: <route>{ $route }</route> alone took <b>{ $share }</b> of all the time users waited ({ $total } in total); 95 % of its answers came within { $p95 }.
home-full = What is near full?
home-full-answer = <b>{ $thing }</b> is { $used } full.
home-full-days = { $thing } will be full in about <b>{ $days ->
    [0] less than a day
    [one] one day
   *[other] { $days } days
}</b>.
home-full-nothing = Nothing is. The fullest is { $thing } at { $used }.
home-full-unknown = Not known: no host has reported how full it is.
home-changed = What changed?
near-thing = { $host } { $kind }
near-thing-named = { $host } { $kind } { $name }
good-share = Good
good-over-time = Share of good requests over time
spark-lowest = Share of good requests over time, lowest { $value }
failed-count = Failed
failed-interval = Failed, 95 % interval
error-interval = Errors, 95 % interval
traffic-per-s = Requests/s
last-seen = Last seen
p95 = p95
p95-before = p95 vs. last week
p95-before-ms = p95 before (ms)
total-before = Total vs. last week
nothing-before = nothing before
before-note = “Last week” is the same time one week earlier.
most-by = Mostly by
route-people = { $route } ({ $users })
used = Used
full-in = Full in
what = What
detail = Detail
days = { $n ->
    [0] under a day
    [one] 1 day
   *[other] { $n } days
}
damage-title = Damaged data.
damage-row = { $file }, { $range }: { $reason } (since { $since }). The rest is served.

## Words in tables
service = Service
route = Route
requests = Requests
errors = Errors
error-ratio = Error ratio
disappointed = People disappointed
people = People
recovered = Got through on retry
still-disappointed = Still disappointed
total-time = Total time
share = Share
mean = Mean
duration = Duration
status = Status
path = Request
user = User
trace = Trace
host = Host
day = Day
change = Change
reason = Reason
sample = Sample
size = Size
format = Format
lines = Lines
state = State
source = Source
kind-disk = disk
kind-memory = memory
kind-cpu = CPU
kind-network = network
kind-journal = journal
kind-lake = data lake
pressure-cpu = waiting for CPU
pressure-memory = waiting for memory
pressure-io = waiting for disk

## Service and route
service-how = How is { $service } for its users?
service-which = Which requests cost users time?
service-empty = { $range }: no requests of { $service }.
service-empty-how = Try <day>the last seven days</day>, see <sources>what arrives</sources>, or send its log:
signal-sentence = { $range }: <b>{ $requests }</b> { $requests ->
    [one] request
   *[other] requests
}, of which <failed>{ $errors }</failed> failed: <b>{ $ratio }</b> (95 % interval { $interval }).
signal-speed = Half were answered within { $p50 }, 95 % within <b>{ $p95 }</b>, 99 % within { $p99 }.
signal-timed = Times are known for { $timed } of { $requests } requests.
no-durations = The log has no response times, so how fast users are served is not known. <sources>Two lines of nginx configuration</sources> add them.
no-durations-short = No response times in the log
no-requests = No requests in this time.
signal-latency = Latency
signal-traffic = Traffic
signal-errors = Errors
signal-saturation = Saturation
signal-saturation-of = Saturation of { $host }
saturation-none = No host has reported its load for this time
unit-requests-s = requests/s
unit-people-hour = people per hour
unit-requests-cell = requests per cell
unit-records = records
same-weekday-before = same weekday before
compare-label = Compare with the same weekday before
compare-nothing = Nothing is stored for the same weekday before.
drag-hint = Drag on a chart to choose a time.
sketch-error = Percentiles are within ±{ $error }.
error-note = { $errors } of { $requests } requests failed; 95 % interval { $interval }.
chart-summary = { $title }: { $name } latest { $last }, lowest { $lowest }, highest { $highest }.
bars-summary = { $title }: { $bars ->
    [one] one bar
   *[other] { $bars } bars
}, highest { $highest }.
requests-answer = { $routes ->
    [one] One route
   *[other] { $routes } routes
} kept users waiting { $total } in total; <route>{ $route }</route> alone { $share } of it.
requests-untimed = { $routes ->
    [one] One route.
   *[other] { $routes } routes.
} The log has no response times, so nothing can be ordered by time; <sources>add them</sources>.
routes-over-limit = This service has more than { $limit } routes. The rarest are counted together as (other); patterns in the configuration can join them.
find-route = Find a route
sort-by = Order by
rows-shown = { $shown } of { $all } routes.
bar-of = Bar: { $measure }
disappointed-by-hour = People disappointed
disappointed-by-hour-least = People disappointed, at least
identity-cookie = A user is recognised by { $identity }, stored as a keyed hash.
identity-header = A user is recognised by { $identity }, stored as a keyed hash.
identity-field = A user is recognised by { $identity }, stored as a keyed hash.
identity-hash = A user is guessed from address and browser (keyed hash), so people behind one address may be counted as one. A session cookie in the configuration makes it exact.
recovered-means = “Got through” means that the same user's next try of the same route worked within { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
}.
changes-answer = { $n ->
    [one] One change, { $deploys ->
        [0] no deploy
       *[other] a deploy
    }
   *[other] { $n } changes, { $deploys ->
        [0] none of them a deploy
        [one] one of them a deploy
       *[other] { $deploys } of them deploys
    }
}.
changes-more = { $n ->
    [one] One earlier change is not listed; a shorter time shows it.
   *[other] { $n } earlier changes are not listed; a shorter time shows them.
}
changes-none = No change was recorded in this time.
changes-none-how = Let your deploy script say so, and every chart gets a mark:
change-deploy = Deploy
change-config = Configuration
change-service = Service
change-damage = Damage
change-limit = Limit
change-image = Image
change-schema = Schema
change-flag = Flag
route-how = { $route }
route-empty = { $range }: no requests of { $route }.
route-empty-how = Try <week>the last seven days</week>, or see <service>the whole service</service>.
route-slowest = The slowest 20
route-failed = The last 20 that failed
route-no-slow = No response times are known here.
route-no-failed = None failed in this time.
route-people-title = Whom did it disappoint?
route-people-of = { $range }: of about { $of } { $of ->
    [one] person
   *[other] people
} who used it, <failed>{ $users ->
    [0] nobody
    [one] one
   *[other] { $users }
}</failed> saw an error: <b>{ $share }</b> (95 % interval { $interval }).
route-people-some = { $range }: <failed>{ $users ->
    [0] nobody
    [one] one person
   *[other] { $users } people
}</failed> saw an error here. How many used it is not known.
route-people-retry = { $recovered } got through on the next try, <b>{ $still } did not</b>.
route-people-days = Somebody may stand in several days, so they are not added up.
route-people-unknown = In the whole service { $n ->
    [one] one more failed request names no user. If it was of this route, it is not counted here.
   *[other] { $n } more failed requests name no user. Those of this route are not counted here.
}
compare-title = What is different before and after a change?
compare-around = Compare around
compare-choice = { $at }, { $kind }: { $title }
compare-answer = Since { $title } ({ $at }) { $failed ->
    [more] <b>more requests fail</b>
    [less] <b>fewer requests fail</b>
    [same] no difference in failures is proven
   *[unknown] failures cannot be compared
}, { $slow ->
    [more] and <b>answers are slower</b> (p95)
    [less] and <b>answers are faster</b> (p95)
    [same] and no difference in how fast answers are (p95) is proven
   *[unknown] and too few answers tell how fast they are (p95)
}.
compare-before = Before
compare-after = After
compare-difference = Difference
compare-more-fail = more fail
compare-fewer-fail = fewer fail
compare-slower = slower
compare-slower-by = slower: at least { $times }× as long
compare-faster = faster
compare-faster-by = faster: at least { $times }× as fast
compare-same = none is proven
compare-unknown = no requests on one side
compare-too-few = too few requests
compare-stretches = This compares { $length } before the change with as long after it, and leaves out the minute of the change.
compare-see = See both in the charts
compare-note = Below each number is its 95 % interval; those of times are as wide as the steps of the heat map. Before and after are different hours, so a difference need not come from the change.
compare-none = In { $days ->
    [one] one day
   *[other] { $days } days
} no change was recorded.
compare-none-how = Let your deploy script say so, and this place says whether the deploy made it better or worse:
compare-fresh = { $title } was a moment ago.
compare-fresh-how = The first comparison stands here after one whole minute.
see-records = See its records
heat-title = How long answers took
heat-hint = Up to { $most ->
    [one] one request
   *[other] { $most } requests
} in a cell; darker is more. Click a cell for its records.
heat-spot = { $at }, { $band }: { $n ->
    [one] 1 request
   *[other] { $n } requests
}
heat-summary = Heat map of duration over time, up to { $most ->
    [one] one request
   *[other] { $most } requests
} in a cell. The table shows the numbers.
band = { $low } to { $high }
band-above = over { $low }

## Explorer
explorer-title = What exactly happened?
explorer-view = View
tab-records = Records
tab-sql = SQL
filter-label = Filter
filter-apply = Filter
filter-clear = Clear
filter-options = Completions
filter-help = Words are found in the path. Fields: status, route, method, path, duration, user, service, host, source, bytes, trace. Combine with OR, NOT and parentheses.
filter-add = Filter: { $term }
filter-out = Leave out this { $field }
histogram-title = Records over time
histogram-total = { $n ->
    [one] 1 record
   *[other] { $n } records
}
status-ok = 1xx–3xx
status-client = 4xx
status-server = 5xx
facets-title = Narrow down
facets-of = Counted over all records that match, { $range }
facets-none = No record has this field.
facets-more = Show more
facets-out = Leave out { $value }
lines-label = Form of the lines
lines-compact = Compact
lines-wrap = Wrapped
lines-json = JSON
records-label = Records, newest first
records-none = { $range }: no record matches.
records-none-filter = Take a term out of the filter, or choose a longer time.
records-none-sources = Try <week>the last seven days</week>, or see <sources>what arrives</sources>.
records-all = { $n ->
    [one] The only record is shown.
   *[other] All { $n } records are shown.
}
records-some = { $n ->
    [one] The newest record; scroll for older ones.
   *[other] The newest { $n } records; scroll for older ones.
}
record-title = Record
record-service = Its service
record-route = Its route
tail-start = Live tail
tail-stop = Stop live tail
tail-pause = Pause
tail-resume = Go on ({ $n } waiting)
tail-open = Live. { $n ->
    [0] Nothing has arrived yet.
    [one] The newest record.
   *[other] The newest { $n } records.
}
tail-lost = The connection was lost; trying again.
tail-refused = The server cannot start the live tail: check the filter. Trying again every 15 seconds.
tail-connecting = Connecting.
tail-gap-none = Nothing has been missed since { $at }.
tail-gap-lost = The connection was lost: some records may be missing between { $from } and { $to }. <search>Search this time</search>
tail-gap-left-out = More came than was sent here: some records may be missing between { $from } and { $to }. <search>Search this time</search>
tail-gap-not-kept = { $n ->
    [one] One record was not kept
   *[other] { $n } records were not kept
} because too many waited during the pause: between { $from } and { $to }. <search>Search this time</search>
tail-gaps-before = { $n ->
    [one] One gap before it
   *[other] { $n } gaps before it
}
tail-empty = Waiting for the next record.
tail-empty-how = Records appear here as they arrive. If none does, take a term out of the filter, or see on the sources page what arrives.
sql-label = SQL
sql-run = Run
sql-running = Running.
sql-range = Time range: { $range }; at most { $limit } rows, 30 s, read-only.
sql-failed = The query failed.
sql-answer = { $rows ->
    [one] 1 row
   *[other] { $rows } rows
} in { $took }.
sql-scanned = Read { $rows ->
    [one] one row
   *[other] { $rows } rows
}, { $bytes }.
sql-truncated = There is more: only the first { $n ->
    [one] row is
   *[other] { $n } rows are
} shown. Add a LIMIT or an aggregate.
sql-damaged = Left out because it is damaged: { $file }
sql-tables = Tables and columns
sql-result = Result

## Sources
sources-arrives = What arrives, and from where?
sources-answer = { $sources ->
    [one] One source
   *[other] { $sources } sources
} sent { $lines ->
    [one] one line
   *[other] { $lines } lines
}; <b>{ $rejected ->
    [0] none was rejected
    [one] one was rejected
   *[other] { $rejected } were rejected
}</b>.
sources-none = Nothing arrives yet.
sources-none-how = Follow a file below, or send one:
sources-all = All
sources-trouble = With problems
sources-find = Find a source
sources-none-shown = No source is left here. Take words out of the search, or show all.
sources-since = Counted since Koshu started, { $at }.
service-unnamed = names no service
skew-ahead = its clock is { $by } ahead
skew-behind = its clock is { $by } behind, or it sends late
skew-zone-ahead = its times are { $by } ahead: local times without a time zone?
skew-zone-behind = its times are { $by } behind: local times without a time zone, or sent late?
skew-how-ahead = The freshest record of the last ten minutes carried a time { $by } after the moment it arrived here.
skew-how-behind = The freshest record of the last ten minutes carried a time { $by } before the moment it arrived here. A sender that keeps records back looks the same.
skew-note = A clock is judged by the freshest record of the last ten minutes: its time against the moment it arrived.
limits-title = Which limits were reached?
limits-more = { $n ->
    [one] One more was reached.
   *[other] { $n } more were reached.
}
limit-routes = <b>{ $service }</b> has more than { $limit } routes: { $n ->
    [one] one request of a rare one was
   *[other] { $n } requests of rare ones were
} counted as (other), since { $since }. Patterns in the configuration can join routes.
limit-series = <b>{ $service }</b> sends more than { $limit } series: { $n ->
    [one] one sample of a new one was
   *[other] { $n } samples of new ones were
} rejected, since { $since }. A label that holds ids is the usual cause.
limit-series-of-all = All services together have { $limit } series: { $n ->
    [one] one sample of a new one of <b>{ $service }</b> was
   *[other] { $n } samples of new ones of <b>{ $service }</b> were
} rejected, since { $since }.
limit-fields = <b>{ $source }</b> sends records with more than { $limit } fields: the rest was dropped from { $n ->
    [one] one record
   *[other] { $n } records
}, since { $since }.
limit-services = There are { $limit } services, and no more fit: records with new names go to the service “other”, since { $since }.
limit-sources = More than { $limit } sources sent something: others are counted together as (other), since { $since }.
hosts-title = Are my other hosts there?
hosts-answer = { $n ->
    [one] <b>One host</b> has an agent
   *[other] <b>{ $n } hosts</b> have an agent
}; { $away ->
    [0] none is silent
    [one] <b>one</b> is silent
   *[other] <b>{ $away }</b> are silent
}.
hosts-own = { $host }, where Koshu itself runs, is not listed here: koshu up observes it without this.
hosts-find = Find a host
hosts-none-shown = No host has this in its name.
hosts-shown = { $shown } of { $all } are shown, those that are gone first.
hosts-more = Connect another host
hosts-service = Run its agent as a service
hosts-none = No other host has an agent.
hosts-none-how = An agent tells how full its host is, follows its access logs, runs checks from there, and shows that the host is alive. When it falls silent, Koshu and the other agents look whether the host is gone, only its agent, or the network between. It dials this server and listens nowhere.
hosts-step-token = On the server: a token for one host
hosts-step-token-how = Each host takes a token of its own. “web-1” is only the name of the token.
hosts-step-run = On the host: its agent, with that file
hosts-needs-tls = An agent takes an address with http:// only on the server's own machine: elsewhere everybody on the way would see its token. Open Koshu by its https:// address (a proxy with TLS in front of it), and that one is filled in.
host-since = Since
host-heard = Last heard
host-checks = Checks
host-files = Log files
host-files-broken = Not followed
host-reached = Reached by
host-version = Agent
host-alive = alive
host-gone = host gone
host-agent-gone = agent gone
host-network-cut = network cut
host-server-isolated = server isolated
host-unknown = unknown
host-clock-ahead = its clock is { $by } ahead; its times are corrected
host-clock-behind = its clock is { $by } behind; its times are corrected
host-files-problem = { $n ->
    [one] one log file is not followed
   *[other] { $n } log files are not followed
}
host-files-of = { $n ->
    [one] Its log file
   *[other] Its { $n } log files
}
host-file = File
host-file-problem = Problem
host-file-followed = none
host-reached-nobody = nobody yet
host-reached-more = { $names } and { $n ->
    [one] one more
   *[other] { $n } more
}
host-reached-note = A host that nobody has reached while it was alive cannot be told from a lost agent later. The others try port 22 of it; reach: in the agent's own file names another address.
host-why = Why is that believed?
host-forget = Forget
host-forget-title = Forget this host?
host-forget-ask = “{ $name }” leaves this list, and rules about silent hosts no longer ask about it. What it has sent stays stored.
host-forget-back = If its agent still runs, the host comes back with the next report that arrives. To prevent that, stop the agent or revoke its token.
host-forget-alive = Its agent is running now, so the host will be back within some ten seconds. Stop the agent or revoke its token first.
because-heard = The agent was heard { $length } ago.
because-silent = The agent has been silent for { $length }.
because-never = The agent has never been heard.
because-tcp = { $outcome ->
    [answered] The server connected to the host over TCP.
    [refused] The host refused a TCP connection from the server, so something is there.
    [timed_out] A TCP connection from the server got no answer; while the agent was heard, it did.
    [unreachable] The server found no way to the host over TCP; while the agent was heard, it did.
   *[other] TCP from the server says nothing: it could not be tried, or did not lead to the host before either.
}
because-icmp = { $outcome ->
    [answered] The host answered a ping from the server.
    [refused] The host refused a ping from the server, so something is there.
    [timed_out] A ping from the server got no answer; while the agent was heard, it did.
    [unreachable] A ping from the server found no way to the host; while the agent was heard, it did.
   *[other] A ping from the server says nothing: it could not be tried, or was not answered before either.
}
because-peer = { $outcome ->
    [answered] { $host } reached the host.
    [refused] { $host } was refused by the host, so something is there.
    [timed_out] { $host } got no answer from the host; while the agent was heard, it did.
    [unreachable] { $host } found no way to the host; while the agent was heard, it did.
   *[other] What { $host } tried says nothing: it could not be tried, or did not lead to the host before either.
}
because-server-network = The server does not reach its own network.
because-all-silent = All { $n } other agents fell silent, too.
because-no-witness = No other agent can say whether the host is there, and one look is not enough to call it gone.
because-not-looked = No try by the server says anything about the host.
because-early = Koshu has not heard the agent since it started, a moment ago.
serving-title = Which hosts serve { $service }, and are they there?
serving-answer = { $n ->
    [one] <b>One host</b> serves it
   *[other] <b>{ $n } hosts</b> serve it
}; { $away ->
    [0] none is silent
    [one] <b>one</b> is silent
   *[other] <b>{ $away }</b> are silent
}.
serving-own = Koshu reads { $n ->
    [one] one log of it
   *[other] { $n } logs of it
} on { $host }, its own machine.
serving-placeless = { $n ->
    [one] One sender does not say
   *[other] { $n } senders do not say
} on which host it runs: <sources>see what arrives</sources>.
serving-means = A host is known to serve it when its agent follows a log of it. <agent>Connect another host</agent>
serving-none = No host is known to serve { $service }.
serving-none-how = Once the agent of a host follows a log of this service, this place says whether the host is there, since when, and why that is believed. <agent>Two commands connect a host</agent>
place-server = server
sources-found = Which logs are on this host?
sources-connect = How do I connect more?
sources-room = How much room is left?
sources-room-answer = Memory { $memory } of { $memory_budget }, disk <b>{ $disk } of { $disk_budget }</b>; { $free } free on the disk itself.
sources-listens = Koshu listens on
sources-journal = Journal: { $bytes } in { $segments ->
    [one] one segment
   *[other] { $segments } segments
}.
state-receiving = receiving
state-idle = idle
state-waiting = waiting
state-failed = failed
state-not-followed = not followed
from-http = HTTP
from-file = File
from-import = Import
from-demo = Demonstration
from-agent = Agent
from-otlp = OpenTelemetry
from-forward = fluentd forward
from-elasticsearch = Elasticsearch bulk
from-syslog = syslog
from-loki = Loki push
from-prometheus = Prometheus
from-sentry = Sentry SDK
from-statsd = StatsD
from-heartbeat = heartbeat
lines-per-s = Lines/s
rejected = Rejected
behind = Behind
clock-skew-s = Clock (s)
rejects-why = Why { $n ->
    [one] one line was rejected
   *[other] { $n } lines were rejected
}
why-blank = The line is empty
why-too-long = Longer than 1 MiB
why-cut-short = The line ends in the middle of a field
why-no-time = There is no time
why-bad-time = The time cannot be read, or lies outside the years 1 to 9999
why-no-request = The line has no request
why-no-status = The line has no status
why-bad-status = The status is no number from 100 to 599
why-not-json = Not JSON
why-not-ltsv = The line has no label:value fields
why-not-alb = The line lacks the fields of a load balancer's log
why-not-elb = The line lacks the fields of a classic load balancer's log
why-not-cloudfront = The line lacks the fields of a CloudFront log
why-heading = A heading line of the log, not a request
why-no-match = The configured pattern does not match
why-unknown-format = No known format explains the log
why-not-a-map = The record is no map of named fields
why-too-deep = Nested deeper than 32 levels
why-malformed = It does not follow its protocol
why-bad-id = The trace or span id is missing or has the wrong length
why-bad-value = The value is no number
why-bad-name = The name is missing, or has characters that a name cannot have
why-read-only = Only new records are taken; nothing stored is changed or deleted
why-unknown = Koshu does not store this kind of item
why-over-limit = A limit of Koshu was reached
why-service-is-deleted = Its service was being deleted
why-too-many-series = A new series, and the limit of series is reached
why-lost = There was no room for it, here or at an agent while this server was away, and nobody can send it again
why-sample = The agent's value is no number, its name or labels cannot be stored, or the host has too many different ones
found-by = found in { $by }
by-nginx = the nginx configuration
by-apache = the Apache configuration
by-folder = a usual folder
found-none = No access log was found on this host.
found-none-how = Koshu looks at the nginx and Apache configuration and in the usual folders. Import any file by hand:
found-unreadable = Koshu may not read it: { $reason }
found-allow = Let Koshu read it, then restart Koshu:
found-sample = First lines tried: { $parsed } of { $lines } understood, { $rejected } rejected.
found-older = With { $n ->
    [one] one older file
   *[other] { $n } older files
}, { $size } in all.
found-following = Followed as { $service }.
follow = Follow from now on
follow-past = Follow and import the past
imports-title = Imports
import-progress = Import of { $path }
import-done = done
import-failed = Failed: { $reason }
import-counts = { $lines ->
    [one] One new line
   *[other] { $lines } new lines
}: { $parsed } parsed, { $rejected } rejected.
import-already = { $size } had been stored before and was passed over.
import-past = Import its past…
import-again = Import its past again…
import-past-title = Import the past of this log?
import-past-ask = Koshu reads <b>{ $size }</b> in { $files ->
    [one] one file
   *[other] { $files } files, the oldest first
} (packed files hold more). The lines become requests of { $service }, at the times written in them.
import-past-once = No line is counted twice: whatever is stored already is passed over, however often you import. Following goes on meanwhile.
import-start = Import
import-too-many = Too many imports are waiting. Try again when some of them are done.
connect-pick = What do you run? Pick it, and paste the lines into its configuration.
connect-access = Access logs
connect-hosts = Your other hosts
connect-shippers = Log shippers
connect-telemetry = Traces and errors
connect-metrics = Metrics and alerts
connect-jobs = Jobs and deploys
snippet-nginx-json = nginx, with response times
snippet-nginx-syslog = nginx over syslog
snippet-past-logs = Past logs
snippet-curl-lines = A log file with curl
snippet-curl-record = One record with curl
snippet-agent = Agent of another host
snippet-agent-systemd = Agent as a systemd service
snippet-fluentd = fluentd
snippet-fluent-bit = Fluent Bit
snippet-vector = Vector
snippet-filebeat = Filebeat
snippet-promtail = Promtail
snippet-alloy = Grafana Alloy
snippet-rsyslog = rsyslog
snippet-otel-sdk = OpenTelemetry SDKs
snippet-otel-collector = OpenTelemetry Collector
snippet-sentry = Sentry SDKs
snippet-prometheus = Prometheus, remote write and alerts
snippet-alertmanager = Alertmanager
snippet-prometheus-scrape = Koshu in your Prometheus
snippet-scrape = Exporters that Koshu fetches
snippet-statsd = StatsD
snippet-heartbeat = A cron job
snippet-deploy = A deploy script
snippet-github-webhook = GitHub webhook
snippet-github-actions = GitHub Actions
note-nginx-json = Goes between http { "{" } and { "}" } of nginx.conf. Reload nginx, then follow the file above.
note-past-logs = Reads plain, .gz and .zst files; what is already there is never imported twice.
note-curl = Change “shop” to the name of your service.
note-agent = The first command runs on this server and makes a token for one host; bring the file to that host, where the second one runs. Each host takes a token of its own.
note-agent-systemd = All of this is on the host. Its user must be able to read the logs: on Debian and Ubuntu the group adm may. The token comes from the other snippet, one for each host.
note-sentry = The number at the end stands for the project: its errors arrive as the service project-1, unless a rule in the configuration names it.
note-otel-sdk = OTEL_SERVICE_NAME is the service's name here.
note-prometheus-scrape = Koshu tells its own state at /metrics: memory, disk, lines of every sender. Reading it takes a token that may read.
note-heartbeat = “nightly-backup” is a name of your choice. The exit code at the end says whether the job worked.
note-scrape = Goes into koshu.yaml: Koshu fetches these targets as Prometheus would.
note-github-webhook = GitHub signs what it sends with the secret: the same text goes into that file and into GitHub's form. Pushes to the default branch, deployments and releases become marks on every chart. GitHub must be able to reach this address.
note-github-actions = A step for the job that deploys. Keep the token as the repository's secret KOSHU_TOKEN: it does not belong in the file. GitHub must be able to reach this address.
guard-none-yet = Programs on this machine need no token, because none was ever made.
guard-port = This protocol has no place for a token: whoever reaches the port may send.
guard-forward = Whoever reaches the port may send, unless koshu.yaml sets server.intake.forward_shared_key: then the same key belongs into this configuration.
guard-key = Encrypted. YOUR_SHARED_KEY stands for the key in koshu.yaml (server.intake.forward_shared_key). If forward_users are set there, the sender needs a user name and password as well.
guard-certificate = Encrypted. Every sender shows a certificate of its own, signed by the authority that koshu.yaml names (server.tls.clients).
reach-here-http = This address exists on this machine only. For other machines, open Koshu by the address at which they reach it (server.listen.https, or a proxy with TLS in front of it), and that one is filled in.
reach-here = Koshu takes this from its own machine only, as it is not encrypted. To take it from other machines, set server.tls in koshu.yaml and let it listen on an address that they reach. Or let an agent here (Fluent Bit, rsyslog, Vector) pass on what they send.
reach-here-encrypted = For other machines, open Koshu by the name for which its certificate was made, and that name is filled in.
reach-off = Koshu does not listen for this yet. In koshu.yaml:
token-for-this = Make a token for this
token-for-this-name = Name of the token
token-for-this-usual = senders
token-for-this-usual-read = Prometheus
token-filled = Filled in, here and in all the others. It is shown until you leave this page, and never again.
token-read-filled = Filled in. It may read everything, and is shown until you leave this page, never again.
token-first-title = Close the open door?
token-first = Until now any program on this machine could send without a token. With the first token that ends: whatever sends without one is refused from then on, also what sends now. Give every sender a token right away.
token-first-yes = Make the token

## Sign-in and settings
sign-in = Sign in
sign-in-title = Sign in to Koshu on { $host }
sign-in-wrong = User name and password do not match.
sign-in-no-password = No password has been set yet. Open the one-time link that Koshu printed at its first start.
sign-in-lost = Lost the password? Make a one-time link on the server:
user-name = User name
password = Password
password-title = Password
password-new = New password
password-help = At least { $n } characters. A sentence is fine.
password-short = Use at least { $n } characters.
password-set = Set password
password-changed = The password was changed.
password-others = Setting a password ends all other sessions.
welcome-title = Welcome to Koshu
welcome-waiting = Signing you in.
welcome-choose = You are signed in. Choose a password for next time.
welcome-set = Set password and begin
welcome-later = Later
welcome-refused = This link was used or is too old. Make a new one on the server:
settings-title = Settings
settings-local = Language, theme and time zone are kept in this browser.
theme-label = Theme
theme-auto = Same as the system
theme-light = Light
theme-dark = Dark
zone-label = Time zone
zone-server = The server's ({ $zone })
zone-browser = This browser's
zone-utc = UTC
tokens-title = Tokens
tokens-none = There is no token.
tokens-none-why = On this machine anybody may send data without one. Once a token exists, sending needs one too.
token-name = Name
token-scope = Allowed to
token-prefix = Begins with
token-made = Created
token-used = Last used
token-create = Create token
token-remove = Revoke
token-remove-ask = “{ $name }” stops working at once. This cannot be undone.
token-once = Copy the token now. It is not shown again.
scope-ingest = send data
scope-agent = be one host's agent
scope-agent-how = One token for each host: the first agent that uses it binds it to its host, and it can speak for no other.
scope-read = read
scope-admin = do everything
sign-out = Sign out
sign-out-title = Session
signed-in-as = Signed in as { $user }.

## Errors
errors-title = What goes wrong, and for whom?
errors-answer = { $range }: <b>{ $errors ->
    [one] one error
   *[other] { $errors } errors
}</b> with { $groups ->
    [one] one cause
   *[other] { $groups } causes
}, seen by { $users ->
    [0] nobody whom the senders named
    [one] <b>one person</b>
   *[other] <b>{ $users } people</b>
}. Most often <group>{ $kind }</group> ({ $most }).
errors-over-time = Errors over time
unit-errors = errors
errors-open = Open
errors-resolved = Resolved
errors-ignored = Ignored
errors-all = All
errors-find = Find an error
errors-none = { $range }: no error was reported.
errors-none-how = That is good news only if somebody would report one. Any Sentry SDK and OpenTelemetry's exceptions do; <sources>see what arrives</sources>, or try <week>the last seven days</week>. This sends a first one:
errors-none-shown = No group of errors is left here.
errors-none-shown-how = Choose another state, or take words out of the search.
errors-more = The first { $shown } of { $all } groups; a shorter time or one service shows the others.
errors-fresh = { $back ->
    [0] { $fresh ->
        [0] None of them is new, and none that was resolved came back.
        [one] <b>One of them is new</b>; none that was resolved came back.
       *[other] <b>{ $fresh } of them are new</b>; none that was resolved came back.
    }
    [one] <b>One that was resolved came back</b>{ $fresh ->
        [0] ; none is new.
        [one] , and <b>one is new</b>.
       *[other] , and <b>{ $fresh } are new</b>.
    }
   *[other] <b>{ $back } that were resolved came back</b>{ $fresh ->
        [0] ; none is new.
        [one] , and <b>one is new</b>.
       *[other] , and <b>{ $fresh } are new</b>.
    }
}
errors-fresh-unknown = Whether one of them is new is not known: not all of the days before could be looked through.
errors-none-open = None of them is open: each was resolved or is ignored.
errors-all-of = All errors of { $service }
errors-new-means = “New” is what was not seen in the { $days ->
    [one] day
   *[other] { $days } days
} before this time.
errors-new-nothing-before = No error at all is stored of them.
error-new = new
release = Release
error-kind = Class
error-message = Message
error-what = Error
error-trend = Trend
error-trend-of = Trend of { $n ->
    [one] one error
   *[other] { $n } errors
}
error-first-seen = First seen
error-last-seen = Last seen
error-state-open = open
error-state-reopened = reopened
error-state-resolved = resolved
error-state-ignored = ignored
error-resolve = Resolve
error-ignore = Ignore
error-reopen = Open again
error-decided = { $by }, { $at }
error-decided-by-program = by a program, { $at }
error-reopened-since = resolved { $at }, and seen again since
error-title = Error
error-answer = { $range }: <b>{ $errors ->
    [one] one error
   *[other] { $errors } errors
}</b>, seen by { $users ->
    [0] nobody whom the sender named
    [one] <b>one person</b>
   *[other] <b>{ $users } people</b>
}. First seen { $first }, last { $ago }.
error-gone-title = This error is not in this time
error-gone = { $range }: no error of this group.
error-gone-how = It may be older: try <month>the last 30 days</month>.
error-whom = Whom did it hit, and since which release?
error-no-release = no release named
error-no-person = nobody named
error-records = The latest records
error-latest = The latest { $n } of { $all }.
error-no-trace = The sender named no trace.
error-no-stack = The sender sent no stack.
error-all-frames = Show all { $n } frames
error-why = Why are these one error?
error-why-proven = These are the same in all of them (version { $version } of the grouping). What varies, such as numbers, ids and line numbers, is left out.
error-why-sender = The sender asked for a grouping of its own, or the error was shortened when it was stored. Without that, we would have compared this:
error-input-type = Class
error-input-message = Message
error-input-frame = Frame
error-input-grouping = Chosen by the sender
see-trace = See its trace
see-request = See its request
see-person = See this person's requests

## Traces
traces-title = Where did single requests spend their time?
traces-find = Words, or a trace id
traces-least = At least
traces-least-wrong = Not understood. Try 250ms, 1.5s or 2m.
traces-none = { $range }: no trace that began here.
traces-none-how = Programs with an OpenTelemetry SDK send traces. A trace is listed by the span that began it; see <sources>what arrives</sources>, or try <week>the last seven days</week>. This runs a Python program with its traces sent here:
traces-none-filter = Take words out, ask for shorter ones, or choose a longer time.
traces-answer = { $range }: { $n ->
    [one] one trace
   *[other] the newest <b>{ $n }</b> traces
}, <b>{ $failed }</b> with something that failed. The slowest, <trace>{ $name }</trace>, took <b>{ $slowest }</b>.
traces-more = Older ones are not shown; search, or choose a shorter time.
trace-name = What began it
trace-spans = Spans
trace-services = Services
trace-failed = Failed
trace-kind = Kind
trace-starts = Starts
trace-span = Span
trace-title = Where did its time go?
trace-answer = <b>{ $name }</b> of <service>{ $service }</service> took <b>{ $duration }</b>: { $spans ->
    [one] one span
   *[other] { $spans } spans
} in { $services ->
    [one] one service
   *[other] { $services } services
}, { $failed ->
    [0] none failed
    [one] <b>one failed</b>
   *[other] <b>{ $failed } failed</b>
}.
trace-orphans = { $n ->
    [one] One span names a parent that did not arrive; it stands as a root, marked ⤷.
   *[other] { $n } spans name a parent that did not arrive; they stand as roots, marked ⤷.
}
trace-orphan = Its parent did not arrive
trace-more-spans = { $n ->
    [one] Only the first span is shown.
   *[other] Only the first { $n } spans are shown.
}
trace-waterfall = Spans over time
trace-gone-title = This trace was not found
trace-gone = Nothing is stored of { $id }.
trace-gone-around = It was looked for within an hour of the moment in the link. <week>Look through the last seven days</week>.
trace-gone-how = It was looked for in the last seven days. It may be older, not sampled by its sender, or still on its way.
trace-no-spans = No span of this trace arrived
trace-no-spans-how = What was logged with its id is below. Its sender may not have sampled it.
trace-errors = What failed in it?
trace-no-errors = No error was reported with this trace.
trace-lines = What was logged in it?
trace-no-lines = No log line has its id.

## Metrics
metrics-title = What was measured?
metrics-answer = { $range }: <b>{ $names }</b> { $names ->
    [one] metric
   *[other] metrics
} in { $series } series.
metrics-find = Find a metric
metrics-shown = { $shown } of { $all }
metrics-pick = Pick a metric to see it over time. A number beside it says how many series it has.
metrics-more = There are more metrics than can be listed; choose one service or a shorter time.
metrics-none = { $range }: nothing was measured.
metrics-none-how = Prometheus, OpenTelemetry and StatsD can send here; see <sources>what arrives</sources>, or try <week>the last seven days</week>. For Prometheus:
metric-series = { $n ->
    [one] 1 series
   *[other] { $n } series
}
metric-series-head = Series
metric-line = Line
metric-by = Split by
metric-by-nothing = nothing
metric-rate = Growth per second
metric-fold = Series joined by
metric-fold-mean = mean
metric-fold-sum = sum
metric-fold-min = smallest
metric-fold-max = largest
metric-answer = { $line }: latest <b>{ $last }</b>. { $series ->
    [one] One series
   *[other] { $series } series, joined by { $fold },
} in { $lines ->
    [one] one line
   *[other] { $lines } lines
}.
metric-answer-rate = { $line }: latest <b>{ $last }</b> a second. { $series ->
    [one] One series
   *[other] { $series } series, added up,
} in { $lines ->
    [one] one line
   *[other] { $lines } lines
}; where a counter began anew it is read from zero.
metric-no-rate = No growth is known: a rate takes two samples of a series.
metric-no-label = (without this label)
metric-all = all
metric-drawn = The { $drawn } largest of { $all } lines are drawn. Choose one in the table to see it alone.
metric-left-out = { $n ->
    [one] One smaller line is left out.
   *[other] { $n } smaller lines are left out.
} One service or another label makes them fewer.
metric-show-all = Draw the largest again
metric-lowest = Lowest
metric-highest = Highest
metric-unit = value
metric-unit-s = per second
metric-unit-bytes = bytes
metric-unit-bytes-s = bytes per second
metric-unit-seconds = seconds
metric-unit-seconds-s = seconds per second
metric-unit-ratio = share

## Logs
logs-title = What did programs say?
logs-find = Words, "a phrase", -without
logs-lines = Log lines, newest first
logs-over-time = Lines over time
logs-calm = others
logs-warnings = warnings
logs-errors = errors
unit-lines = lines
logs-answer = { $range }: <b>{ $n ->
    [one] one line
   *[other] { $n } lines
}</b>, among them <b>{ $errors ->
    [0] no errors
    [one] one error
   *[other] { $errors } errors
}</b> and { $warnings ->
    [0] no warnings
    [one] one warning
   *[other] { $warnings } warnings
}.
logs-none = { $range }: no log line.
logs-none-how = fluentd, Fluent Bit, Vector, rsyslog and OpenTelemetry can send here; see <sources>what arrives</sources>, or try <week>the last seven days</week>. Requests of access logs are in the <explorer>explorer</explorer>. This sends a first line:
logs-none-filter = Take words out, allow less grave lines, or choose a longer time.
logs-least-any = Any severity
logs-least-trace = Trace and up
logs-least-debug = Debug and up
logs-least-info = Info and up
logs-least-warn = Warnings and up
logs-least-error = Errors and up
logs-least-fatal = Fatal only
log-severity = Severity
logs-of-pattern = Only lines like
logs-all-patterns = All patterns
logs-all = { $n ->
    [one] One line.
   *[other] All { $n } lines.
}
logs-newest = { $n ->
    [one] The newest line.
   *[other] The newest { $n } lines.
}
logs-older = Older lines
logs-narrow = Narrow down to see others.
patterns-title = Patterns
patterns-of = Found in { $n ->
    [one] the only line
   *[other] all { $n } lines
}. Click one to see its lines.
patterns-newest = Found in { $n ->
    [one] the newest line
   *[other] the newest { $n } lines
}. Click one to see its lines.
patterns-others = { $n ->
    [one] One more line has a rarer one.
   *[other] { $n } more lines have rarer ones.
}

## The watch: words
nav-inbox = Inbox
nav-objectives = Objectives
nav-rules = Rules
nav-checks = Checks
watch-nav = The watch
key-inbox = Go to the inbox
key-objectives = Go to the objectives
key-rules = Go to the rules
key-checks = Go to the checks
key-acknowledge = Acknowledge the alert
key-outcome = Say what came of it
class-alert = Alert
class-ticket = Ticket
class-record = Record
save = Save
more = Show more
owner = Owner
rule = Rule
channel = Channel
message = Message
by-koshu = Koshu
since-length = for { $length }
home-alerts = { $n ->
    [one] <b>One alert is open</b>
   *[other] <b>{ $n } alerts are open</b>
}: somebody has to act now. <inbox>Go to the inbox</inbox>
home-alerts-more = <b>More than { $n } alerts are open.</b> <inbox>Go to the inbox</inbox>

## Marks of a chart
mark-alert = Alert { $rule }, { $span }
mark-alert-open = Alert { $rule }, open since { $at }
mark-ticket = Ticket { $rule }, { $span }
mark-ticket-open = Ticket { $rule }, firing since { $at }
mark-change = { $kind }: { $title }, { $at }
mark-unread = Firings before { $at } are not marked: too many came after it. The inbox has them all.
marks-label = { $n ->
    [one] One mark on the time axis; the arrow keys go from mark to mark
   *[other] { $n } marks on the time axis; the arrow keys go from mark to mark
}
marks-firings = { $n ->
    [one] One firing, { $span }
   *[other] { $n } firings, { $span }
}
marks-changes = { $n ->
    [one] One change, { $span }
   *[other] { $n } changes, { $span }
}
marks-more = { $n ->
    [one] One more; a shorter time shows it.
   *[other] { $n } more; a shorter time shows them.
}

## Inbox
inbox-title = What needs somebody?
inbox-open-alerts = { $n ->
    [0] , no open alert
    [one] , one open alert
   *[other] , { $n } open alerts
}
inbox-open-tickets = { $n ->
    [0] , no ticket to do
    [one] , one ticket to do
   *[other] , { $n } tickets to do
}
inbox-calm = No alert is open. Nobody has to act now.
inbox-answer = { $n ->
    [one] <b>One alert</b> is open: somebody has to act now.
   *[other] <b>{ $n } alerts</b> are open: somebody has to act now.
}
inbox-answer-more = <b>More than { $n } alerts</b> are open. Begin with the service that users feel most.
inbox-tabs = Alerts or tickets
inbox-alerts = Alerts
inbox-tickets = Tickets
inbox-all = Open and past
inbox-open = Open
inbox-past = Past
inbox-todo = To do
inbox-overdue = Overdue
inbox-done = Done
inbox-narrowed = Only { $what }
inbox-show-all = Show all
inbox-shown = { $n ->
    [one] One is shown.
   *[other] { $n } are shown.
}
inbox-none-fit = Nothing fits this filter
inbox-none-fit-how = Choose another state, or show all services and rules.
alerts-none = There was no alert yet
alerts-none-how = An alert comes from a rule of the class “alert”; Koshu has none of its own that could wake you. Write rules into the configuration like this, and see under <rules>Rules</rules> where each stands.
alerts-none-open = No alert is open.
alerts-none-past = No alert has ended yet.
tickets-none = There is no such ticket
tickets-none-how = A ticket is what somebody must act on within days. It comes from a rule of the class “ticket”, which says how long it may take.
acknowledge = Acknowledge
acknowledged-by = Acknowledged by { $by } { $ago }
firing-lasted = { $at }, for { $length }
firing-value = measured { $value }
firing-value-limit = measured { $value }, limit { $limit }
advice-action = First thing to do: <b>{ $action }</b>
advice-action-none = First thing to do: the rule does not say. Give it an “action”.
advice-runbook = Runbook: { $runbook }
advice-worth = Last 30 days: of { $all } judged firings <rule>{ $of ->
    [0] none needed somebody
    [one] one needed somebody
   *[other] { $of } needed somebody
}</rule>, { $share } (95 %: { $interval })
advice-runbook-of = Runbook of { $rule }
owner-none = no owner
owner-is = owner: { $owner }
was-told = told
was-not-told = nobody was told
quiet-maintenance = quiet until { $until }, { $by } announced work: { $reason }
quiet-silenced = quiet until { $until }, silenced by { $by }: { $reason }
quiet-inhibited = quiet, because { $by } says more
quiet-no-channel = nobody was told: no channel is configured
quiet-other = quiet: { $reason }
fired-times = fired { $n } times
has-notes = { $n ->
    [one] one note
   *[other] { $n } notes
}
outcome-ask = What came of it?
outcome-acted = We acted
outcome-healed = It was healed
outcome-by-itself = It ended by itself
outcome-duplicate = Duplicate
outcome-nothing = Nothing to do…
outcome-was-acted = Somebody acted
outcome-was-healed = Healed
outcome-was-by-itself = Ended by itself
outcome-was-duplicate = Duplicate
outcome-was-nothing = Nothing had to be done
outcome-change = Change
outcome-why = Why was there nothing to do? The rule is corrected by this.
outcome-why-example = The nightly import is always slow
progress = Progress
progress-open = Not begun
progress-in-progress = In progress
progress-done = Done
ticket-done = Done { $at }
ticket-due = Due { $at } ({ $ago })
ticket-overdue = Overdue: was due { $at } ({ $ago })

## One firing
firing-title = Firing
firing-gone-title = There is no such firing
firing-gone = Nothing is known under this address.
firing-gone-how = It may have been deleted together with its service. <inbox>Go to the inbox</inbox>
firing-open-since = It has fired since { $at } ({ $ago }).
firing-over = It has ended: { $from } to { $to }, { $length }.
ask-ack = Do you take this alert?
ask-ack-what = Whoever acknowledges looks after it now; nobody else is woken for it. Opening this page has not acknowledged anything.
ask-ack-over = You were asked to acknowledge this, but it has ended already.
firing-action = First thing to do
firing-action-none = The rule does not say. Give it an “action”.
firing-runbook = Runbook
firing-runbook-none = none
firing-chart = What was measured
firing-chart-note = Marked are this firing and others of the service (▲ alert, ■ ticket), and changes (◆).
measured = measured
limit = limit
amount-per-second = { $n } per second
amount-people = { $n ->
    [one] one person
   *[other] { $n } people
}
unit-seconds = seconds
unit-days = days
unit-per-second = per second
see-rule = See the rule
see-rule-firings = All firings of this rule
see-service-then = The service around its beginning
firing-history = What happened?
firing-add = Add to it
firing-links = What is it linked to?
firing-deliveries = Who was told, and how?
history-fired = Began
history-fired-again = Came back
history-resolved = Ended
history-acknowledged = Acknowledged
history-note = Note
history-outcome = Outcome
history-assigned = Owner
history-due = Due date
history-progress = Progress
history-escalated = Nobody acknowledged; told further
history-delivered = Told
history-given-up = Could not be told
history-fell-back = Told over another channel
history-quiet = Kept quiet
history-told = Told after having been quiet
history-linked = Linked
note = Note
note-add = Add note
owner-new = Another owner
owner-give = Hand over
due-new = Another due date
due-move = Move
links-none = It is linked to nothing yet.
link-add = Link it to
link-kind = Kind of link
link-it = Link
link-url = Page
link-issue = Issue
link-firing = Firing
link-change = Change
link-error-group = Group of errors
deliveries-none = No message was written about it.
message-fire = Began
message-resolve = Ended
message-remind = Reminder
message-escalate = Escalation
message-test = Test
delivery-at = When
delivery-attempts = Tries
delivery-answer = What the channel answered
delivery-taken = taken
delivery-instead = Told over { $channel } instead.
delivery-pending = Waiting
delivery-delivered = Delivered
delivery-given-up = Given up
delivery-folded = Told together with the end

## Objectives
objectives-title = How much may still go wrong?
objectives-answer = { $n ->
    [one] <b>One objective</b>
   *[other] <b>{ $n } objectives</b>
}: { $spent ->
    [0] none is over its budget
    [one] <b>one</b> is over its budget
   *[other] <b>{ $spent }</b> are over their budgets
}{ $burning ->
    [0] { $spent ->
        [0] , and none burns too fast
       *[other] {""}
    }
    [one] , <b>one</b> { $spent ->
        [0] burns
       *[other] more burns
    } too fast
   *[other] , <b>{ $burning }</b> { $spent ->
        [0] burn
       *[other] more burn
    } too fast
}{ $unknown ->
    [0] .
    [one] , and of <b>one</b> nothing is known.
   *[other] , and of <b>{ $unknown }</b> nothing is known.
}
objectives-note = Burn 1× uses up the budget exactly by the end of the window. Time that was not seen counts neither as good nor as bad.
objectives-none = No objective is configured
objectives-none-how = An objective says which share of requests must be good, and with that how much may go wrong. Write it into the configuration; a rule that watches it makes one alert instead of many.
objectives-none-here = { $service } has no objective
objectives-all = <all>Show all objectives</all>
objective = Objective
objective-target = Target
objective-left = Budget left
objective-bad = Bad
objective-of = Counted
objective-bad-of = Bad / counted
objective-seen = Time seen
objective-spent = over budget
objective-burning = burning too fast
objective-unknown = nothing known
objective-fine = within budget
burn = Burn
burn-1h = Burn 1 h
burn-6h = Burn 6 h
burn-both = { $hour } in the last hour, { $six } in the last six hours
exhaustion = Budget gone
exhaustion-already = gone
exhaustion-in = in { $length } at this rate
exhaustion-not = not within the window
exhaustion-unknown = not known
seen-all = all
seen-share = { $share }, { $missing } not seen
seen-length = watched for { $seen } of { $whole }
seen-nothing = nothing of { $whole }
window-week = a calendar week
window-month = a calendar month
window-quarter = a calendar quarter
objective-title = How much may still go wrong with “{ $name }” of { $service }?
objective-nothing = Nothing was counted in this window, so nothing can be said.
objective-answer = <b>{ $left }</b> of the budget is left. { $bad ->
    [0] None of { $valid } was
    [one] One of { $valid } was
   *[other] { $bad } of { $valid } were
} bad; the target is { $target } % over { $window }.
objective-over = { $bad ->
    [one] One of { $valid } was
   *[other] { $bad } of { $valid } were
} bad: <b>{ $times } times</b> as many as the target of { $target } % over { $window } allows.
objective-whole = Whole window
objective-whole-left = { $left } of its budget is left, if the traffic goes on as so far
objective-good = Good means
objective-unjudged = Could not be judged
objective-window = Window
objective-chart = Budget left over the window
objective-chart-note = Marked are firings of the rules that watch it (▲ alert, ■ ticket), and changes (◆). Below 0 % more was bad than may be. Where nothing was seen, the line has a gap.
objective-burnt = What burnt it?
objective-burnt-none = No bad request is recorded in this window.
objective-burnt-unknown = This condition cannot be asked of the stored requests, so the routes are not known.
objective-unseen = When was nothing seen?
objective-unseen-none = All of the time was seen.
objective-unseen-before = Nothing was watched before { $at }.
objective-unseen-none-since = Since then nothing is missing.
objective-unseen-what = In these times nobody looked: it may have been good or bad, and counts as neither.
objective-unseen-length = ({ $length } not seen)
objective-unseen-more = { $n ->
    [one] And one shorter time.
   *[other] And { $n } shorter times.
}
objective-rules = Who watches it?
objective-rules-none = No rule watches this objective: nobody hears of it when the budget burns.
objective-changes = What changed meanwhile?
objective-gone = No such objective is configured.

## Rules
rules-title = What is watched, and where does it stand?
rules-answer = { $n ->
    [one] <b>One rule</b>: it { $firing ->
        [0] does not fire
       *[other] <b>fires</b>
    }{ $blind ->
        [0] , and it sees what it watches.
       *[other] , and it <b>cannot see</b> what it watches.
    }
   *[other] <b>{ $n } rules</b>: { $firing ->
        [0] none fires
        [one] <b>one</b> fires
       *[other] <b>{ $firing }</b> fire
    }{ $blind ->
        [0] , and all of them see what they watch.
        [one] , and <b>one</b> cannot see what it watches.
       *[other] , and <b>{ $blind }</b> cannot see what they watch.
    }
}
rules-none = No rule is configured
rules-none-how = A rule decides from a signal whether something is an alert (now), a ticket (in days) or a record. Begin with tickets; make an alert of what somebody really had to act on.
rules-none-fit = No rule fits this filter
rules-none-fit-how = It may have another name now, or have left the configuration. <all>Show all rules</all>
rules-all = All rules
rule-class = Class
config-problem = The last change of the configuration was not taken; the rules before it still hold.
phase-firing = firing
phase-firing-why = The condition holds, and has long enough.
phase-pending = about to fire
phase-pending-why = The condition holds, but not yet for as long as the rule wants.
phase-source-lost = source lost
phase-source-lost-why = What used to send has stopped sending. Look at the sources.
phase-failed = could not be asked
phase-failed-why = The question itself failed: a query with an error, or one that ran out of time.
phase-absent = no data
phase-absent-why = The question was answered: there is nothing to measure, as at night.
phase-fine = fine
phase-fine-why = It was measured, and the condition does not hold.
series-blind = and meanwhile
series-count = { $n ->
    [one] One series
   *[other] { $n } series
}
series-more = { $n ->
    [one] One more series is not listed.
   *[other] { $n } more series are not listed.
}
series-left-out = { $n ->
    [one] One series is beyond the limit and not watched.
   *[other] { $n } series are beyond the limit and not watched.
}
rule-record = What came of it so far?
record-none = It has not fired yet.
record-none-lately = It has not fired in this time.
record-unjudged = It fired { $n ->
    [one] once
   *[other] { $n } times
}, and nobody has said yet whether there was something to do, so the rule cannot be judged.
record-answer = It fired { $n ->
    [one] once
   *[other] { $n } times
}. { $all ->
    [one] One was judged, and { $of ->
        [0] <b>nobody</b>
       *[other] <b>somebody</b>
    } had to act
   *[other] Of { $all } that were judged somebody had to act in <b>{ $of }</b>
}.
record-began = Began
record-ended = Ended
record-open = open
record-acknowledged = Acknowledged by
record-outcome = Outcome

## Channels
channels-title = Do messages arrive?
channels-none = No channel is configured
channels-none-how = Whatever fires is recorded here, but nobody is told. Configure at least one channel for alerts.
channel-told = Hears of
channel-not-configured = not configured any more
channel-failing = failing since { $at }
channel-took = took a message { $ago }
channel-nothing = no message yet
channel-test = Test
channel-test-send = Send a test
channel-test-sent = A test is on its way to { $channel }. It counts only when somebody opens its link and says that it arrived.
channel-test-arrived = arrived, says { $by } ({ $at })
channel-test-waits = sent { $ago }; nobody has said that it arrived
channel-test-never = never tested
test-title = Did the test arrive?
test-what = If you came here by the link in a test message, say so. Opening this page alone counts for nothing, because programs open links too.
test-arrived = Yes, it arrived
test-thanks = Thank you. The channel “{ $channel }” counts as working now.
test-next = <rules>See all channels</rules>

## Silences and maintenance
quiet-title = What is kept quiet?
quiet-none = Nothing is kept quiet.
quiet-kind = Kind
quiet-what = What
quiet-who = By
quiet-until = Until
quiet-begins = begins { $at }
quiet-end = End it
quiet-add = Keep something quiet for a while
quiet-length = For how long
quiet-ends = It ends by itself at { $at }. Firings are recorded and counted all the same.
quiet-begin = Keep quiet
silence = Silence
maintenance = Maintenance
silence-what = Silence: some firings are not told
maintenance-what = Maintenance: work on a service is announced
silence-match = Firings that match all of
silence-match-help = Pairs like rule=checkout-slow service=shop route="POST /cart"; a value may end in *. At least one value has to be named.
maintenance-service = Service (empty for all)
while-1h = 1 hour
while-4h = 4 hours
while-1d = 1 day
while-3d = 3 days
while-7d = 7 days

## Checks
check = Check
checks-title = Does what must work, work from outside?
checks-answer = { $n ->
    [one] <b>One check</b>
   *[other] <b>{ $n } checks</b>
}: { $failed ->
    [0] none fails
    [one] <b>one</b> fails
   *[other] <b>{ $failed }</b> fail
}{ $late ->
    [0] {""}
    [one] , <b>one</b> job is late
   *[other] , <b>{ $late }</b> jobs are late
}{ $unsure ->
    [0] .
    [one] ; of <b>one</b> nothing can be said.
   *[other] ; of <b>{ $unsure }</b> nothing can be said.
}
checks-none = No check is configured
checks-none-how = A check does from outside what a user does: open the page, sign in, buy. Begin with the one way that must never break.
checks-none-fit = No check fits this filter
checks-all = <all>Show all checks</all>
checks-find = Find a check
checks-shown = { $shown } of { $all } are shown, the worst first.
checks-not-stored = { $n ->
    [one] One result could not be stored since the server started.
   *[other] { $n } results could not be stored since the server started.
}
check-failed = failed
check-unknown = unknown
check-late = late
check-pending = not run yet
check-ok = good
check-uptime = Good, 24 h
check-minutes = { $n ->
    [one] of one minute
   *[other] of { $n } minutes
}
check-chart-note = Marked are firings about this check (▲ alert, ■ ticket), and changes (◆).
check-took = Took
check-took-places = Time taken, by place
check-places-note = { $n ->
    [one] The latest run is
   *[other] The latest { $n } runs are
} drawn, in steps of { $every }. Where a line breaks, its place sent no run or no time.
check-place-until = { $place }, until { $at }
check-places-drawn = { $drawn } of { $all } places are drawn, those that stand worst first.
check-last = Last run
check-why = What is wrong
check-gone = No such check is configured.
check-target = Target
check-every = Every
check-from = Runs from
check-places-part = in { $n } of { $of } places
check-no-runner = The agent that should run it sent nothing.
check-run-here = Only agents run this check. Run now looks from the server, and what it finds counts for nothing.
check-last-ok = Last good
check-certificate = Certificate expires
check-heartbeat-due = Next heartbeat due
check-evidence = The network of this server itself may be lost. This was tried:
check-run = Run now
check-running = Running
check-day = How was the last day?
check-day-unknown = Nothing can be said of the last day.
check-day-answer = <b>{ $share }</b> of the minutes that were seen were good: { $ok } good, { $failed } failed. { $rest ->
    [0] {""}
    [one] Of one minute nothing can be said.
   *[other] Of { $rest } minutes nothing can be said.
}
check-runs = What did the last runs find?
check-runs-none = There was no run yet.
check-last-bad = The last run that was not good
check-attempts = { $n } tries
check-steps = Steps
check-step = Step
check-total = Total
minute-ok = good
minute-failed = failed
minute-unknown = unknown
minute-unwatched = nobody looked
step-dns = Name
step-connect = Connect
step-tls = TLS
step-first-byte = First byte
step-rest = Rest
coverage-title = What does nobody look at?
coverage-no-traffic = No service has traffic in this range.
coverage-none-of = { $service } has no traffic in this range.
coverage-answer = Checks walk <b>{ $share }</b> of the { $requests ->
    [one] one request
   *[other] { $requests } requests
} of { $service }. No check looks at <b>{ $open }</b> of { $routes } routes{ $bare ->
    [0] ; every one of them is judged by an objective.
    [one] ; <b>one</b> of them is judged by no objective either.
   *[other] ; <b>{ $bare }</b> of them are judged by no objective either.
}
coverage-share = Share of requests
coverage-judged = Judged by objective
coverage-nothing = by nothing
coverage-more = { $n ->
    [one] And one route with fewer requests.
   *[other] And { $n } routes with fewer requests.
}
coverage-idle = Checks with steps that no user takes in this range: { $names }

## Monthly report
report-title = How available was { $service } in { $month }?
report-title-bare = How available was a service in a month?
report-no-service = A month can be reported on as soon as requests arrive: see <sources>what arrives</sources>.
report-month = Month
report-before = Month before
report-after = Next month
report-objective-default = The service's own
report-gone = There is no such report
report-gone-how = The service or the objective may have another name now. <report>Choose another one</report>, or see <service>the service</service>.
report-csv = Download CSV
report-print = Print
report-service-now = The service now
report-goes-on = The month goes on: these are its figures until { $until }.
report-incomplete = { $n ->
    [one] One day is known only in part ({ $days }): some or all of its requests are no longer stored, because retention or the disk budget deleted them, or a file is damaged. Whom they concerned is not known.
   *[other] { $n } days are known only in part ({ $days }): some or all of their requests are no longer stored, because retention or the disk budget deleted them, or a file is damaged. Whom they concerned is not known.
} To keep whole months, write "server.retention.requests: 62d" and give "server.disk" enough room.
report-empty = Nothing is known of this month, so there is no figure. That is not 100 %.
report-empty-how = No request of it is stored: nothing arrived, or its time is beyond what is kept. See <sources>what arrives</sources>.
report-answer = <b>{ $time }</b> of the minutes, <b>{ $requests }</b> of the requests and <b>{ $users }</b> of the time that people spent were good.
report-disappointed = { $n ->
    [0] Of { $all } people nobody saw an error ({ $share }, 95 % interval { $interval }).
    [one] <b>One person</b> of { $all } saw an error ({ $share }, 95 % interval { $interval }).
   *[other] <b>{ $n } people</b> of { $all } saw an error ({ $share }, 95 % interval { $interval }).
}
report-disappointed-unknown = How many people saw an error is not known.
report-allowed = A target of { $target } % allows <b>{ $allowed }</b> of downtime in the whole month. It was bad for <b>{ $bad }</b>{ $unknown ->
    [0] .
    [one] ; of one minute nothing is known.
   *[other] ; of { $unknown } minutes nothing is known.
}
report-allowed-of = The objective <objective>{ $objective }</objective> ({ $target } %) allows <b>{ $allowed }</b> of downtime in the whole month. It was bad for <b>{ $bad }</b>{ $unknown ->
    [0] .
    [one] ; of one minute nothing is known.
   *[other] ; of { $unknown } minutes nothing is known.
}
report-no-target = No objective says how much may be bad, so nothing can be said about a target. Write one under <objectives>Objectives</objectives>; <service>the page of the service</service> proposes one when nothing watches it.
report-definitions = Availability by three definitions
report-definition = Counted by
report-with = Maintenance counted
report-without = Maintenance left out
report-by-time = Minutes
report-by-time-means = Minutes in which at least { $share } of the requests were good.
report-by-requests = Requests
report-by-requests-means = Requests that were good: { $good }.
report-by-users = People's time
report-by-users-means = Time that people spent with a service that worked for them.
report-minutes-of = { $good } of { $all } minutes
report-minutes-unknown = { $n ->
    [one] one minute not known
   *[other] { $n } minutes not known
}
report-requests-of = { $good } of { $all } requests
report-users-of = { $good } of { $all }
report-interval = 95 % interval { $interval }
report-nothing-known = nothing is known
report-met = within the target
report-met-as-seen = within the target, as far as was seen
report-missed = below the target
report-unknown = not known
report-maintenance = { $n ->
    [0] No maintenance was announced in this month: both columns count the same.
    [one] One minute of maintenance was announced.
   *[other] { $n } minutes of maintenance were announced.
}
report-worst = When was it worst?
report-worst-none = No stretch of this month can be judged.
report-worst-length = Within
report-worst-share = Good for people
report-worst-note = Of each length the worst stretch, by the time that people spent. Open one to see the service at that time.
report-how = How is this computed?
report-how-good = A request is good when { $good }.
report-how-time = Minutes: a minute is good when at least { $share } of its requests were. A minute without requests is not known: neither good nor bad.
report-how-requests = Requests: good ones by all. The interval holds the true share in 95 of 100 cases; few requests make it wide.
report-how-users = People's time: the time between somebody's requests counts as good or bad by the request before it. Who is silent for longer than { $cut } is away, and that time does not count.
report-how-maintenance = Maintenance is what was announced as such. The first column counts it like any other time, the second leaves it out.
report-how-unknown = Of time in which nothing was seen nothing is said. It makes no figure better or worse, and is counted by itself.
report-how-allowed = The allowed downtime is what the target leaves of the whole month: 99.98 % of 30 days are 8.64 minutes.
report-how-rounded = Every figure is rounded down to three digits: 99.9996 % is not 100 %.
report-span = { $from } to { $to }, { $zone }.

## What a rule detects
detects-above = { $what } above { $limit }
detects-above-for = { $what } above { $limit } for { $hold }
detects-below = { $what } below { $limit }
detects-below-for = { $what } below { $limit } for { $hold }
detects-burn = { $objective } of { $service } burning its budget too fast (target { $target } %)
detects-no-data = no data: { $what } for { $after }
detects-of = { $signal } of { $of }
detects-query = the query's value
detects-query-of = the query's value of { $of }
of-route = { $name }
of-each-route = each route
of-service = service { $name }
of-each-service = each service
of-host = host { $name }
of-each-host = each host
of-check = check { $name }
of-each-check = each check
of-error-group = error group { $name }
of-each-error-group = each error group
of-heartbeat = heartbeat { $name }
of-each-heartbeat = each heartbeat
of-process = process { $name }
of-each-process = each process
of-objective = objective { $name }
of-each-objective = each objective

## Alert quality
nav-actionability = Alert quality
nav-report = Availability
key-actionability = Go to the quality of alerts
key-report = Go to the monthly availability
quality-title = Which rules are worth being told about?
quality-days = Time that is looked at
quality-none = No rule fired in this time.
quality-none-how = There is nothing to judge: either nothing was wrong, or the rules cannot see what they watch. <rules>See where each rule stands</rules>
quality-no-alerts = { $tickets ->
    [one] No alert; one ticket.
   *[other] No alert; { $tickets } tickets.
}
quality-nobody-said = { $n ->
    [one] <b>One alert</b>, and nobody has said whether there was something to do.
   *[other] <b>{ $n } alerts</b>, and of none has anybody said whether there was something to do.
} Say it in the inbox, and the rules can be judged.
quality-answer = { $n ->
    [one] <b>One alert.</b>
   *[other] <b>{ $n } alerts.</b>
} { $all ->
    [one] One was judged, and { $of ->
        [0] nobody
       *[other] somebody
    } had to act
   *[other] Of { $all } that were judged somebody had to act in { $of }
}: <b>{ $share }</b> (95 % interval { $interval }).
quality-demotable = { $n ->
    [0] No rule is proven to cry wolf.
    [one] <b>One rule</b> cries wolf and should make tickets instead.
   *[other] <b>{ $n } rules</b> cry wolf and should make tickets instead.
}
quality-note = Judged are firings of which somebody said what came of them; duplicates are left out. The dashed mark is one half. A flap ended by itself within five minutes. Off hours are those outside working hours, { $from }:00 to { $to }:00 ({ $zone }). Noise is the time until somebody acknowledged what needed nobody, and 15 minutes to find back into the work.
quality-sort-first = to be changed first
quality-unjudged = nobody has judged it
quality-precision = { $of } of { $all } ({ $share })
quality-interval = 95 %: { $interval }
quality-undecided = Not judged yet
quality-demote = should be a ticket
quality-not-configured = not configured any more
quality-told = Told
quality-told-n = told { $n }
quality-of = Somebody had to act
quality-all = Judged
quality-low = Interval, low
quality-high = Interval, high
precision = Somebody had to act
firings = Firings
noise = Noise
off-hours = Off hours
flaps = Flaps
median-acknowledge = Acknowledged (median)
demotion-title = Which alerts should become tickets?
demotion-none = None: no alert is proven to be needless more often than not. Few judgements prove little, so say in the inbox what came of each.
demotion-what = In less than half of their firings somebody had to act, and that is certain: even the upper end of the interval lies below one half. Nobody should be woken for them.
demotion-propose = Propose the change
demotion-hide = Hide the change
demotion-answer = Over the last { $days ->
    [one] day
   *[other] { $days } days
}: <b>{ $fewer ->
    [one] one alert
   *[other] { $fewer } alerts
} fewer, { $missed ->
    [one] one incident
   *[other] { $missed } incidents
} missed</b>.
demotion-detail = { $before ->
    [one] One alert
   *[other] { $before } alerts
} without the change, { $after } with it. Incidents are alerts on which somebody acted, or that were healed: { $incidents } in this time.
demotion-missed = { $n ->
    [one] One incident was seen by no other alert.
   *[other] { $n } incidents were seen by no other alert.
} <firings>Look at its firings</firings> before you decide.
demotion-no-replay = What the last 30 days would have been with this change could not be replayed, so what would be missed is not known.
demotion-copy = Copy the change
demotion-diff = Change of { $file }
demotion-how = Koshu proposes and changes nothing. Apply it where the configuration is kept (<code>git apply</code>), let somebody read it, and roll it out; the rule then makes tickets.
demotion-why = Why: somebody had to act in { $of } of { $all } (95 % interval { $interval }).
demotion-gone = There is no rule “{ $rule }” in the configuration.
demotion-refused = No change can be proposed for “{ $rule }”.
demotion-by-hand = Change it by hand: where the rule is written, turn “class: alert” into “class: ticket” and say with “due” how long it may take.
diff-added = added:
diff-removed = removed:
person = Person
week = Week
week-of = from { $day }
pages = Pages
over-budget = Budget
over-budget-is = over
over-budget-not = within
people-title = Who is called how often?
people-budget = A person's budget is { $pages ->
    [one] one page
   *[other] { $pages } pages
} a week, { $off ->
    [0] none of them
    [one] one of them
   *[other] { $off } of them
} off hours.
people-none = Nobody was paged in this time.
people-answer = { $over ->
    [0] Nobody was over it in any of { $n } weeks of a person.
    [one] <b>One</b> of { $n } weeks of a person was over it.
   *[other] <b>{ $over }</b> of { $n } weeks of a person were over it.
}
people-note = Where it is not known who was called, the owner of the rule stands for the person. A small team cannot share this among many; what helps is fewer alerts.

## Replay
replay-title = What would the rules have said?
replay-what = Plays the rules as they are configured now over what is stored, minute by minute. Nothing is sent to anybody.
replay-time = Over
replay-page-range = Another time
replay-run = Replay
replay-running = Replaying. This may take up to 100 seconds.
replay-seconds = { $n } s
replay-cancelled = Stopped.
replay-answer = { $span }: <b>{ $alerts ->
    [one] one alert
   *[other] { $alerts } alerts
}</b>, <b>{ $tickets ->
    [one] one ticket
   *[other] { $tickets } tickets
}</b> and { $records ->
    [one] one record
   *[other] { $records } records
}.
replay-stopped = There was not enough time or memory: it came to { $to } of { $asked }, which is <b>{ $share }</b>. What would have been said behind that is not known; a shorter time gets to its end.
replay-unreached = not reached
replay-nothing = No rule that could be replayed would have fired.
replay-firings = Firings
replay-series = Series
replay-lasted = Lasted
replay-measured = Measured
replay-went-on = went on
replay-shown = { $shown } of { $all } are shown.
replay-more = { $n ->
    [one] One more firing is counted but not listed.
   *[other] { $n } more firings are counted but not listed.
}
replay-not = What could not be replayed?
replay-not-what = Whether these rules would have fired is not known.

## Rules to begin with
unwatched-title = Which services does nobody watch?
unwatched-none = None: a rule or an objective is about every service that has requests.
unwatched-answer = { $n ->
    [one] <b>One service</b> has requests, but no rule and no objective.
   *[other] <b>{ $n } services</b> have requests, but no rule and no objective.
} Nobody hears of it when they fail.
unwatched-requests = { $n ->
    [one] one request
   *[other] { $n } requests
}
unwatched-range = Requests are counted for: { $range }.
watching-title = Who hears of it when { $service } is bad?
watching-answer = About it are <rules>{ $rules ->
    [0] no rule
    [one] one rule
   *[other] { $rules } rules
}</rules> and <objectives>{ $objectives ->
    [0] no objective
    [one] one objective
   *[other] { $objectives } objectives
}</objectives>. <report>Its availability month by month</report>
watching-nobody = <b>Nobody:</b> no rule and no objective is about { $service }. <report>Its availability month by month</report>
starter-show = Propose rules
starter-hide = Hide the proposal
starter-nothing = There is no past of { $service } to learn from yet.
starter-nothing-how = A proposal needs requests of at least one whole day. Import older logs under <sources>Sources</sources>, or come back tomorrow.
starter-answer = Here are rules to begin with, made from the past of { $service }. Over that time ({ $span }) they would have meant <b>{ $alerts ->
    [one] one alert
   *[other] { $alerts } alerts
}</b>, <b>{ $tickets ->
    [one] one ticket
   *[other] { $tickets } tickets
}</b> and { $records ->
    [one] one record
   *[other] { $records } records
}.
starter-no-replay = Here are rules to begin with, made from the past of { $service } ({ $span }). What they would have said in that time is not known.
starter-why = Why these numbers
starter-yaml = The configuration itself
starter-copy = Copy YAML
starter-save = Download YAML
starter-owner = Who looks after it? (a team or a person)
starter-accept = Accept…
starter-not-possible = It cannot be accepted from here.
starter-no-folder = The configuration is one file, and Koshu does not write into what people keep. Copy the proposal into it; or start Koshu with a folder as its configuration, and it can add “{ $file }” there.
starter-exists = There is a “{ $file }” in the configuration folder already. Look there first; what is missing can be copied from here.
starter-declared = { $service }, or a rule with one of these names, is declared in another file of the configuration, and nothing can be declared twice. Copy what is missing from here into that file.
starter-by-hand = Copy the proposal and put it into the configuration of { $service } by hand.
starter-ask = Put these rules into the configuration?
starter-ask-what = Koshu writes “{ $file }” into the configuration folder. Within seconds its objectives and rules for { $service } are in force, and the configured channels are told what they find. To undo it, remove the file.
starter-ask-yes = Write the file
starter-accepted = Written as “{ $file }”; it is in force within seconds. <rules>See its rules</rules> or <objectives>its objectives</objectives>.
