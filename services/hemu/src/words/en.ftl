### What the command line says, in English. zh.ftl has the same keys with the same variables; tests compare the two.

## How sentences are put together

because = { $what }: { $why }
time-left = { $eta } left

## Configuration

configuration-missing = there is no configuration file { $file }; `hemu config > { $file }` makes one
configuration-unreadable = the configuration cannot be read
plain-off-this-machine = { $setting } is { $address }, where other machines would send passwords and keys in the clear; use { $instead } with tls_certificate and tls_key, or set allow_plain = true if something in front of it encrypts
hosts-missing = other machines may reach the dashboards, so expected hosts to list the names they use, such as hosts = ["hemu.example.cn"]; it is empty
tls-incomplete = TLS needs mqtt_tls_listen or https_listen, tls_certificate and tls_key together; some of them are missing
roles-need-a-store = roles is { $roles }, but a site in files is one server that does everything; set store to a PostgreSQL that several nodes share, or leave roles out
broker-url-wrong = broker_url: expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT] without a login in it, came something else; the login goes into broker_username and broker_password
broker-name-wrong = { $setting }: expected 1 to 64 letters, digits, `_` or `-`, came something else; every broker takes those
broker-group-needs-5 = broker_group needs broker_protocol "5": MQTT 3.1.1 has no shared subscriptions
broker-password-alone = broker_password needs a broker_username
broker-nothing-in-flight = broker_receive_maximum: expected 1 to 65535, came 0
broker-authorities-wrong = broker_ca and mqtts:// need each other: the file holds, in PEM, the certificates of who signs the broker's
log-filter-wrong = log is { $filter }; expected a level such as info, or a filter such as info,hemu=debug

## Files

cannot-read = cannot read { $file }
cannot-write = cannot write { $file }

## Starting and ending

cannot-start = the runtime cannot start
clock-before-2025 = the machine's clock says it is before 2025; set it, or no reading would be scored
cannot-listen = cannot listen on { $address }; free that port or set { $setting } to another (port 0 is any free one)
cannot-listen-with-certificate = cannot listen on { $address } and { $tls } with the certificate given
folding-the-journal = folding the journal
ended-by-itself = { $part } ended by itself, which is a bug; what was acknowledged is stored, start the server again
the-endpoint = the MQTT endpoint
the-broker-door = the broker's door
the-committer = the committer
the-projector = the projector
one-of-its-tasks = one of the tasks beside it, which the log names,

## hemu demo

everybody-is-simulated = Everybody in this demo is simulated; only the estate's totals are real.
history-through-mqtt = history through MQTT
scores-and-charts = scores and charts
history-is-in = { $days } days, { $records } records, in { $seconds } s through MQTT ({ $rate } records/s), each on the disk before it was acknowledged
demo-login = log in as { $name } ({ $role }) with { $password }
demo-code = or open { $url } as somebody of a household, or type its code: { $code }
demo-phone = The picture is that address for a phone. A phone reaches it if it is in the same network and nothing in between refuses.
demo-screen = The screen in the hall: { $url }
demo-bank-fund = the subdistrict's budget for spring
demo-bank-award = a week without a wrong bag
demo-bank-redeem = a bottle of soap
open-the-page = Open { $url } (time runs { $speed }-fold; Ctrl-C ends it)
simulator-refused = the endpoint refused { $records } of the simulator's records
simulator-stopped = the simulated bins stopped
folder-is-not-a-demo = { $folder } holds data that is not a demo's; give the demo another folder with --data, or run `hemu serve` on this one
demo-does-everything = a demo does everything in one process; leave roles out

## hemu migrate, rebuild, verify

up-to-date = { $folder } is up to date
copying = journal
copied = { $batches } batches are in { $target } as they were here (head { $head }); set store, or data, to it, and keep the old one until you have looked
projections = projections
charts = charts
no-engine = charts have no engine: series_url is not set, and they are in the data folder
backfill-stopped = what is left is sent by `hemu serve`, or when this is run again
charts-sent = { $engine } was sent { $buckets } buckets
folded-again = { $records } records folded again
hash-chain = hash chain
journal-is-whole = journal: { $batches } batches, the hash chain is whole, its head is { $head }
projections-are-right = projections: every row is what the journal adds up to
projections-differ = the projections are not what the journal adds up to: { $difference }

## hemu backup, restore

backup-copied = copied and checked
backup-packed = packed
backup-unpacked = unpacked
backup-no-room = { $folder } has { $free } bytes free, and a backup needs { $needed } there while it is made; free some, nothing was written
backup-holds = { $batches } batches, { $records } records, the last stored at { $until }, head { $head }, generation { $generation }
backup-written = written to { $file }: { $bytes } bytes in { $seconds } s
backup-is-open = the file is not encrypted: who lives behind which door is sealed in it, and its key, secrets.key, is not in it; keep a copy of that elsewhere, or give --recipient and both are in one file
backup-damaged = it is damaged or cut short; use another backup
backup-needs-identity = it is encrypted for a key; give the file with that key as --identity
backup-needs-passphrase = it is encrypted with a passphrase; give the file with it as --passphrase-file
backup-wrong-key = it is encrypted for another key or with another passphrase
not-a-backup = it is no backup: expected a file that `hemu backup` wrote
key-is-made = the key that opens such backups is in { $file }: keep it on another machine, and a copy of it; without it they cannot be opened
recipient-wrong = expected a recipient as `hemu backup --new-key` prints it, age1 and 58 letters and digits, came { $recipient }
identity-wrong = { $file } holds no key; expected a line that begins with AGE-SECRET-KEY-1
passphrase-empty = { $file }: expected a passphrase in its first line, came none
restore-moved-aside = what was there before is in { $folder }
restore-withheld = { $editions } lists that were computed, told, decided on or public are taken back, for what people did since the backup is not known: the next is computed, told and decided on as usual. Ask whoever objected since to do so again; --keep-lists leaves lists as they are, where nothing was done since
restore-erased-again = { $households } households that were erased since are erased again
restore-locked = of { $households } households nobody can read door, residents and words: the key file they were sealed with is not in { $file }; add its line there, or register the households anew
restore-done = { $folder } is restored, as generation { $generation }, in { $seconds } s; start the server: devices send again what they still hold, and the charts are drawn again

## hemu device

device-id-wrong = a device id is 1 to 64 letters, digits, `_` or `-`; { $id } is not
device-checked = recorded: what { $id } sent with boot { $boot } counts from now on
command-too-long = expected a command of at most { $most } bytes, came one of { $bytes }; say less
device-revoked = { $id } can no longer log in; a connection it has open ends within five seconds
no-randomness = the operating system gives no randomness
mosquitto-file-not-kept = the registry has it, but Mosquitto's password file { $file } could not be written; make it writable and run `hemu device rotate` or `revoke` with it again

## hemu user, token, household code

user-added = { $name } can log in as { $role }
user-disabled = { $name } can no longer log in; whoever was logged in with it no longer is
user-enabled = { $name } can log in again
user-password-set = { $name } has another password
user-role-set = { $name } is { $role } from now on
user-totp-removed = { $name } logs in without a second factor
user-totp-scan = scan this with the phone that is to be { $name }'s second factor; it is shown only here
password-missing = expected the password in the first line of stdin, came none
token-revoked = the token { $id } ended
codes-written = { $count } codes written to { $file }; each lets one person in, once, within { $days } days
code-not-drawn = the code cannot be drawn as a QR code
no-household-there = no household is registered in building { $building } of { $estate }
first-admin = Nobody keeps the accounts of this site yet. Whoever opens { $url } with this code becomes its first admin: { $code } (good once, for { $days } day or until the server starts again)

## hemu lists

editions = editions
first-edition-after-last = --from { $from } is after --to { $to }: expected the first edition before the last
edition-summary = { $edition }: { $red } red, { $black } black, { $grey } grey, { $unrated } unrated

## hemu edition

edition-row = { $id }  { $day }  revision { $revision }  { $state }  { $counts }
edition-counts = { $red } red, { $black } black, { $grey } grey, { $unrated } unrated
edition-heading = edition { $id } of { $day }, revision { $revision }: { $state }
edition-origin = computed from the journal up to batch { $position }, by version { $version } of the rule ({ $hash })
edition-digest = digest { $digest }
edition-warned = { $notices } households warned
edition-window = households may object until { $deadline }
edition-published = published to { $audience } until { $until }, by { $first } and { $second }
edition-corrected = a reading was taken out of it: its corrected revision is due
edition-successor = edition { $id } took its place
edition-same = edition { $id }: computed again, bit for bit what is stored
edition-differs = edition { $id } does not come out again: stored { $stored }, computed { $computed }; run `hemu verify`, and keep this folder for examination
edition-unknown = there is no edition { $id }; `hemu edition list` shows those there are
state-draft = draft
state-noticed = households told
state-deciding = being decided
state-published = published
state-expired = expired
state-superseded = superseded
state-retracted = taken back
audience-private = each household alone
audience-building = its building
audience-masked = everybody, masked

## hemu rules

rule-wrong = { $file } is no rule: { $reason }; `hemu rules show` prints one
rule-moves = { $editions } editions by both rules: { $moves } times a household is elsewhere by the other one
rule-move = { $from } -> { $to }: { $count }
rule-grades = figure                        in force     other
estimate-days-wrong = { $days } days from --from to --to: expected 2 to { $most }
estimate-days = { $days } days ({ $from } to { $to })
estimate-row = { $name }: estimated { $estimate }, in force { $value }, by { $households } households
rule-is-proposed = version { $version } from { $from } is proposed as { $id }; another person confirms it with `hemu rules confirm { $id }`
rule-first = version { $version }: in force before any other, it comes with hemu
rule-adopted = { $id }: version { $version } from { $from }, proposed by { $by }, confirmed by { $other }
rule-pending = { $id }: version { $version } from { $from }, proposed by { $by }, not confirmed yet
shadow-runs = version { $version } runs in the shadow from { $from } on, as { $id }; it publishes nothing
shadow-line = { $id }: version { $version } in the shadow from { $from } on
shadow-ended = { $id }: version { $version } in the shadow from { $from } on, ended
estimate-early = fewer than { $least } days: too early to change the rule by it

## hemu privacy

privacy-title = Personal data in { $site }
privacy-made = By hemu { $version } on { $at }, from the configuration in force, the roles and what is stored. What is left blank is for the operator to fill in.
privacy-summary = Households are known by an opaque token. Where each lives exactly, and what anybody wrote about it, is sealed with a key of its own; whoever deletes the key has erased the household. Automation proposes, named persons decide, and a household may object. There are no pictures, no faces, no names and no telephone numbers.
privacy-what = What is held
privacy-columns = | data | purpose | legal basis | where | how long | who sees it |
privacy-token = household's token
privacy-token-why = ties deposits to a household without naming it
privacy-unit = estate, building, unit, station
privacy-unit-why = lists by building and unit, visits, where bags are brought
privacy-door = door, number of residents
privacy-door-why = giving notices and visits; participation by head
privacy-deposits = deposits: instant, bin, stream, grams, quality
privacy-deposits-why = the score, and what explains it
privacy-places = scores, warnings, places on the lists, who decided
privacy-places-why = red and black lists as a due process
privacy-bank = minutes of service and points: entries, services done for others
privacy-bank-why = giving back what was given: help for help, goods for sorting
privacy-words = objections, reasons, corrections, in people's words
privacy-words-why = that a decision can be understood and appealed
privacy-looks = which account looked at which household on which day
privacy-looks-why = that whoever looks answers for it
privacy-raw = bytes of messages that could not be read
privacy-raw-why = finding faults of devices
privacy-raw-long = shown for { $days } days, then a hash; with the journal
privacy-in-register = register (hemu.db)
privacy-in-register-sealed = register (hemu.db), sealed
privacy-in-journal = journal (hemu.db) and what is folded from it
privacy-until-erased = until corrected or erased
privacy-with-the-journal = with the journal; after an erasure it leads to nobody
privacy-days = { $days } days
privacy-residents = A resident sees the own household alone, and of it the own time there; the public sees nothing but published lists, masked.
privacy-roles = The trail is read by: { $trail }. Households are corrected, exported and erased by: { $keepers }.
privacy-publications = What is public now
privacy-nothing-public = Nothing.
privacy-publication-columns = | edition of | audience | legal basis | proposed by | published by | until |
privacy-numbers = In numbers
privacy-number-households = { $households } households, { $sealed } with a key of their own
privacy-number-consents = { $consents } consent to be praised in public (the only purpose that asks for one)
privacy-number-texts = { $texts } texts of people, { $looks } rows of who looked
privacy-number-erased = { $erased } erased, the last on { $last }
privacy-backups = Backups
privacy-no-backups = None are made by the server (backup_to is not set).
privacy-backups-open = In { $folder }, all of the last hour and one of each hour before it, { $keep } of those, not encrypted: what is sealed stays sealed, the key file is not in them. The newest was begun on { $newest }.
privacy-backups-sealed = In { $folder }, all of the last hour and one of each hour before it, { $keep } of those, encrypted, with the key file within. The newest was begun on { $newest }.

## hemu household import, import, export

households = households
household-moved = recorded: a new occupant since { $day }; that day counts for nobody, and what was before for those who lived there before
household-access-revoked = { $name } acts for the household no longer; its own account and its other households stay
household-corrected = corrected; how it was and how it is now stands in the trail at { $position }
household-erased = erased; that it was, by whom and why stands in the trail at { $position }
log-not-wiped = somebody reads the files just now; the log beside them still holds what was erased, and the server empties it
looks-kept-too-short = expected keep_looks_days of { $least } or more, came { $days }: the law wants to know for six months who looked
no-such-household = there is no such household
household-exported = everything held about the household is in { $file }, which nobody else can read
bank-booked = booked as entry { $position }
bank-written = { $rows } entries are in { $file }, which nobody else can read
audit-look = { $day } { $actor } looked at { $what } of household { $household } ({ $count } times)
audit-written = { $rows } lines written to { $file }
check-retention = retention
retention-overdue = { $looks } rows of who looked and { $words } texts are kept for longer than keep_looks_days and keep_words_days say, and { $logins } sessions and codes ended days ago; start the server, which deletes them
check-key-file = key file
key-file-is-open = others than its owner can read or write { $file }; chmod 600 it
household-did-not-move = recorded: nobody moved on { $day } after all
households-registered = { $count } households registered
line-unreadable = line { $line } cannot be read; nothing was imported
line-wrong = line { $line }; nothing was imported
station-needs-an-estate = line { $line }: station { $station } is new; expected the estate it stands in, got none; fill in the column estate, or leave the station out; nothing was imported
household-token-wrong = household: expected a token of 1 to 64 characters, got { $token }
household-place-wrong = { $column }: expected 1 to 64 characters that can be printed
household-residents-wrong = residents: expected 0 to 99, got { $residents }
rows = rows
rows-imported = read { $read }, new { $new }, repeated { $repeated }, rejected { $rejected }, conflicting { $conflicting }
rejected-rows-are-in = the conflicting and rejected rows, each with its line and reason, are in { $file }
rejected-file-is-another = { $file } is where rejected rows go, and holds something else; move it away
exporting = exporting
deposits-written = { $rows } deposits written to { $file }

## hemu doctor

finding-ok = ok    { $what }
finding-wrong = WRONG { $what }: { $trouble }
findings-wrong = { $wrong } of the checks found something wrong

## hemu ready

ready-no-answer = no server answers at http_listen ({ $address }): start it, or ask a node that has the role api
ready-another-answer = what answers at http_listen ({ $address }) is not this version of Hemu
not-ready = the server cannot do its work
check-clock = clock
check-log = write-ahead log
check-device-listener = device listener
check-listeners = listeners
check-position = projections' position
check-charts = charts
check-engine = the charts' engine, { $engine }
charts-behind = they are { $batches } batches behind the journal; run `hemu serve`, and if it is running look at its log
engine-behind = it lacks { $buckets } buckets; run `hemu serve` or `hemu series backfill`, and if the server is running look at its log
engine-forgets = it no longer has { $day }, which it was sent; have it keep longer (VictoriaMetrics: -retentionPeriod=100y; InfluxDB: the bucket's retention), then run `hemu series backfill`
check-broker = broker
check-device-clocks = devices' clocks
check-disk = disk
check-dashboards-listener = dashboards listener
check-metrics-listener = metrics listener
check-backups = backups
check-pragmas = { $file }: how it is kept
clock-went-back = the newest batch was stored { $minutes } minutes ahead of it; set it right, or what comes now looks ahead of time and is not scored
clock-is-behind = { $count } of { $all } devices that spoke since yesterday are more than five minutes ahead of this machine; set its clock right (a time service keeps it so)
device-clock-ahead = { $count } of the devices that spoke since yesterday are more than five minutes ahead, { $device } is one; set their clocks, their readings are not scored
disk-nearly-full = { $free } MiB are free and at least { $least } are expected; make room; when it is full, deleting { $reserve } gives a little
passwords-in-the-clear = http_listen { $address } sends passwords and what is known of people in the clear to other machines; use https_listen
metrics-for-everybody = metrics_listen { $address } tells other machines what goes on here, in the clear; use 127.0.0.1, or let a firewall allow the one that asks
backups-unreadable = { $folder } cannot be read ({ $reason }); set backup_to to a folder that is there
backup-never = there is none in { $folder } yet; start the server, or see why it cannot write there
backup-is-old = the newest in { $folder } is { $minutes } minutes old, more than twice backup_minutes; the server's log says why none is made, or how long each takes: a tenth of the time goes into copies, so either set backup_minutes to more or give them a faster disk
journal-mode-wrong = its journal mode is { $mode } and not wal; keep the data folder on a local disk
journal-mode-was-changed = another program had taken its write-ahead log away, and it has it again now; keep that program off the data folder
synchronous-wrong = synchronous is { $found } on our connections and must be { $least } at least; this is a bug, acknowledged readings could be lost in a power cut
check-database = database: what it keeps through a loss of power
check-standby = database: its standby
check-no-standby = database: it has no standby, and what was acknowledged is on its disk alone
database-forgets = { $setting } is off, and acknowledged readings could be lost in a power cut; set { $setting } = on in its postgresql.conf
database-unsure = synchronous_commit is { $found } on our connections and must be on; something between takes our settings away, connect to the database itself
standby-not-waited-for = { $standbys } follow and no commit waits for one; when one takes over, acknowledged readings could be missing; name it in synchronous_standby_names
standby-away = commits wait for a standby that is not there, and nothing is acknowledged until it is; bring it back, or take it out of synchronous_standby_names
check-conflicts = identities of records
conflicts-found = { $conflicts } records of the last 7 days came under identities that other content has, from { $devices }; they count for nobody. If two devices use one key, rotate it with `hemu device rotate`
check-frozen = readings that wait for a person
boots-frozen = { $held } readings count for nobody, for their devices said two things under one number: { $boots }. See which device it was, rotate its key if two use it, then `hemu device checked DEVICE --boot BOOT --account ACCOUNT`
broker-in-the-clear = { $address } sends the broker's password and every reading in the clear to another machine; use mqtts:// or a broker on this one
broker-drops = it dropped { $dropped } messages since it was started; raise its max_queued_messages, or find out why ingest is slow
clock-is-wrong = it is before 2025; set it, or readings look ahead of time
log-is-long = it has grown to { $bytes } bytes; something keeps an old view of the file open, restart the server
keys-in-the-clear = mqtt_listen { $address } sends keys in the clear to other machines; use mqtt_tls_listen
projections-ahead = they are at batch { $applied }, the journal ends at { $head }; run `hemu rebuild`
port-taken = cannot listen on { $address }: { $reason }

## From here on: texts of other rooms and of libraries, known by their English. The first that fits is taken, and what
## stands in its variables is translated by itself; so those that begin with a variable come before what may stand in it.

# The configuration's reader (figment).
known-setting-wrong-in-file = { $reason } for key "default.{ $key }" in { $file } TOML file
known-setting-wrong-in-environment = { $reason } for key "{ $key }" in `HEMU_` environment variable(s)
known-file-wrong = { $reason } in { $file } TOML file
known-setting-unknown = unknown field: found `{ $key }`, expected `one of { $known }`
known-type-wrong = invalid type: found { $got }, expected { $expected }
known-value-wrong = invalid value { $got }, expected { $expected }
known-toml-wrong = TOML parse error at line { $line }, column { $rest }
known-got-text = string { $value }
known-got-number = signed int `{ $value }`
known-expected-count = usize
known-expected-small-count = u32
known-expected-smaller-count = u16
known-choice-unknown = unknown variant: found `{ $value }`, expected { $known }
known-expected-text = a string
known-expected-path = path string
known-expected-address = socket address
known-zone-wrong = a zone is Asia/Shanghai, UTC, or an offset such as +08:00 (no summer time); came { $got }

# The data folder (ledger, series).
known-edition-days = expected 1d to 366d, such as 7d, came { $text }
known-command-kind = expected collect, refuse, config or message, came { $text }
known-command-member = expected NAME=VALUE, such as text=full, came { $text }
known-score-failed = a household's score could not be computed: { $why }; this is a bug, no list was made
known-files-in-use = the files of { $folder } are in use by another hemu process (a server, an import, a check), and this command replaces them; stop that one or let it end, then run this again
known-files-replaced = another hemu process is replacing the files of { $folder }; run this again when it has ended
known-other-version = a server of another version, or a command of its, is running on the data folder { $folder }; stop it or use its hemu
known-folder-in-use = the data folder { $folder } is in use by another hemu process; stop that one, or give this one another folder with --data
known-folder-unusable = the data folder { $folder } cannot be used ({ $reason }); give hemu a folder it may write to with --data
known-version-newer = { $file } was written by a newer hemu (it has schema { $found }, this version knows up to { $known }); install that version or restore an older backup
known-database = the database { $file }: { $reason }
known-series-database = the series database: { $reason }
known-series-damaged = the charts' file is damaged (day row { $place }); stop the server and have `hemu rebuild` fill it again
known-engine = the charts' engine, { $engine }, { $trouble }
known-engine-unreachable = does not answer at { $address } ({ $why }); start it, or set series_url to where it is
known-engine-slow = did not answer within { $seconds } seconds; see what keeps it busy
known-engine-token = does not let us in (HTTP { $status }); set series_token to one that may read and write there
known-engine-unknown = does not know what series_url names (HTTP 404: { $text }); make the bucket there, or mend series_url
known-engine-busy = cannot do it just now (HTTP { $status }: { $text })
known-engine-refused = does not take what it is sent (HTTP { $status }: { $text })
known-engine-unreadable = answers what cannot be read ({ $what })
known-engine-url-scheme = series_url: expected victoriametrics+http://HOST:8428/ or influxdb+http://HOST:8086/?org=ORG&bucket=BUCKET, came { $scheme }
known-engine-url-https = series_url: https is not spoken to an engine; put a proxy with TLS on this machine and name that, by http
known-engine-url-login = series_url: a login does not belong into it; set series_token
known-engine-url-parameters = series_url: expected { $parameters }
known-engine-url-client = series_url: its client cannot be made ({ $why })
known-engine-url-names = org= and bucket=, each with a name
known-engine-url-names-only = no parameters but org= and bucket=
known-engine-url-path = no path: InfluxDB is asked at the root of its address
known-engine-url-write = no parameter but write=, the address for writing where it is another (a cluster's vminsert)
known-engine-url-bare = no parameters in the address behind write=
known-engine-token-wrong = series_token: expected a line of printable ASCII
known-database-said = error returned from database: { $reason }
known-not-a-database = (code: { $code }) file is not a database
known-database-locked = (code: { $code }) database is locked
known-database-malformed = (code: { $code }) database disk image is malformed
known-database-full = (code: { $code }) database or disk is full
known-journal-damaged = the journal is damaged at batch { $position }: { $what }; restore a backup, and keep this folder for examination
known-journal-other = the projections were folded from a journal with another batch here, or one that went on to here; if an older journal was put back on purpose, run `hemu rebuild`
known-batch-missing = expected batch { $position } here, a batch is missing
known-batch-unreadable = the batch's bytes cannot be read as journal entries
known-zone-kept = the days of { $folder } are counted in { $zone }, and the configuration says otherwise; set zone to that or leave it out
known-row-differs = table { $table } (batch { $position }): stored { $stored }, the journal says { $expected }; run `hemu rebuild`
known-household-differs = table household: the row of the household whose token ends in { $end } is not what was written; look at it and import the households' file again, or restore a backup
known-no-row = no row
known-key-file-unusable = the key file { $file } cannot be used ({ $reason }); let hemu read it, or say where it is with secrets_file
known-key-file-missing = the key file { $file } is not there, and what { $database } holds of households was sealed with it; copy it from another node or from where it is kept, or say where it is with secrets_file
known-key-file-other = the key file { $file } is not the one that { $database } was sealed with; every node needs the same one: copy it from another node or from where it is kept
known-key-file-garbled = expected lines of 64 hexadecimal digits in the key file { $file }, came something else; put the right one back
known-nothing-corrected = expected a building, unit, door or number of residents that is not registered so already
known-folder-holds-data = the data folder { $folder } holds data already; give another folder with --data, or --replace to have it moved aside
known-aside-taken = { $folder } is there already
known-tables-elsewhere = the tables are in a PostgreSQL; stop the servers and copy them into a folder with `hemu copy FOLDER`, which can be backed up and copied back, or use pg_dump (restored by that, devices are not told to send again)

# Acts: why one was refused (the ledger's words, as far as a command line meets them).
known-refused-household = unknown_household: { $sentence }
known-refused-in-the-future = in_the_future: { $sentence }
known-day-not-begun = expected a day that has begun, came { $day }, and today is { $today }
known-move-recorded-already = a move on { $day } is recorded already
known-move-not-recorded = no move of this household is recorded on { $day }
known-refused-same-person = same_person: { $sentence }
known-refused-not-a-person = not_a_person: { $sentence }
known-refused-already-decided = already_decided: { $sentence }
known-refused-wrong-state = wrong_state: { $sentence }
known-refused-unknown-rule = unknown_rule: { $sentence }
known-first-step-by = { $name } took the first step; the second is for another person
known-only-a-person = only a named person may do this, and { $name } is none
known-rule-version-taken = version { $version } is another rule already; expected a version number that is not taken
known-rule-proposed-already = version { $version } from { $from } is proposed already, as { $id }
known-rule-adopted-already = version { $version } from { $from } was adopted by { $name } already
known-rule-behind-an-edition = households were told of the edition of { $told }; expected a rule for a later day, came { $from }
known-rule-not-proposed = no rule was proposed as { $id }
known-no-household-of-token = no household is registered under this token
known-refused-malformed = malformed: { $sentence }
known-refused-name-taken = name_taken: { $sentence }
known-refused-unknown-account = unknown_account: { $sentence }
known-refused-unknown-token = unknown_token: { $sentence }
known-account-taken = there is an account { $name } already
known-account-unknown = there is no account { $name }
known-account-machines = expected a person's account, came { $name }, which is the machine's
known-account-not-disabled = the account is not disabled
known-account-disabled-already = the account is disabled already
known-account-only-admin = { $name } is the only admin; add another one before
known-account-has-role = the account's role is { $role } already
known-account-is-a-residents = a resident's account is made by a household's code, and stays one
known-account-without-totp = the account has no second factor
known-delegate-wrong = expected a resident's account to act for a household, { $name } is { $role }
known-account-acts-not = { $name } does not act for this household
known-token-label = expected 1 to 64 characters of what the token is for, came { $length }
known-token-rights = expected some of the account's own rights, which are { $rights }
known-token-unknown = there is no token { $id } in use
known-refused-not-enough = not_enough: { $sentence }
known-refused-unknown-pool = unknown_pool: { $sentence }
known-refused-key-taken = key_taken: { $sentence }
known-refused-not-your-duty = not_your_duty: { $sentence }
known-bank-pool-name = expected a pool's name of 1 to { $most } small letters, digits and -
known-bank-no-pool = there is no such pool; /api/v1/pools lists those there are
known-bank-has = the { $whose } has { $has } { $currency }, and { $amount } are asked for
known-bank-key = expected a key of { $least } to { $most } letters, digits, _ and -, drawn anew for every request
known-bank-key-taken = this key stands for another request already; draw a new one for a new request
known-bank-role = expected an account whose role may do this, came { $role }
known-bank-words = expected 1 to { $most } characters of words, came { $length }
known-password-length = expected a password of 10 to 128 characters, came { $length }
known-password-name = expected a password that is not the account's name
known-password-common = expected a password that is not among the commonest; several words that do not belong together are easy to keep

# The registry.
known-device-there = device { $id } is registered already; `hemu device rotate { $id }` gives it a new key
known-device-not-there = there is no device { $id } in use; `hemu device list` shows those there are
known-station-elsewhere = station { $station } stands in estate { $known }, not in { $estate }
known-station-new = station { $station } is new; say with --estate which estate it stands in

# Files that are read in (ingest, csv).
known-column-missing = the header lacks the column { $column }; it must have { $columns } in any order
known-import-unreadable = the file cannot be read: { $reason }
known-rejected-unwritable = the rejected rows cannot be written: { $reason }
known-row-of-wrong-length = CSV error: record { $record } (line: { $line }, byte: { $byte }): found record with { $found } fields, but the previous record has { $expected } fields
known-row-of-wrong-values = CSV deserialize error: record { $record } (line: { $line }, byte: { $byte }): { $reason }
known-row-of-wrong-bytes = CSV parse error: record { $record } (line { $line }, field: { $field }, byte: { $byte }): { $reason }
known-field-wrong = field { $field }: { $reason }
known-field-missing = missing field `{ $name }`
known-utf8-wrong = invalid utf-8: invalid UTF-8 in field { $field } near byte index { $byte }

# Certificates (endpoint).
known-certificate-wrong = expected a certificate in PEM form at { $file }: { $reason }
known-private-key-wrong = expected a private key in PEM form at { $file }: { $reason }
known-pair-wrong = expected a certificate and key in PEM form at { $file }: { $reason }
known-pem-io = I/O error: { $reason }
known-pem-empty = no items found

# The broker (ingest).
known-broker-authorities = broker_ca: expected certificates in PEM form at { $file }: { $reason }
known-broker-lost = expected a connection to the broker, came: { $reason }
known-broker-silent = expected an answer from the broker within { $seconds } s, came none
known-broker-refused = Connection refused, return code: `{ $code }`
known-broker-io = I/O: { $reason }

# The operating system and the standard library.
known-os-not-found = No such file or directory (os error { $code })
known-os-permission-denied = Permission denied (os error { $code })
known-os-operation-not-permitted = Operation not permitted (os error { $code })
known-os-exists = File exists (os error { $code })
known-os-is-a-directory = Is a directory (os error { $code })
known-os-not-a-directory = Not a directory (os error { $code })
known-os-no-space = No space left on device (os error { $code })
known-os-read-only = Read-only file system (os error { $code })
known-os-input-output = Input/output error (os error { $code })
known-os-too-many-files = Too many open files (os error { $code })
known-os-address-in-use = Address already in use (os error { $code })
known-os-address-not-here = Cannot assign requested address (os error { $code })
known-gzip-wrong = invalid gzip header
known-gzip-corrupt = corrupt deflate stream
known-file-cut-short = unexpected end of file
known-address-wrong = invalid socket address syntax
known-digit-wrong = invalid digit found in string
known-number-empty = cannot parse integer from empty string
known-number-large = number too large to fit in target type
known-log-filter-wrong = error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
known-log-directive-wrong = invalid filter directive
known-account-wrong = expected an account's name of 1 to 64 letters, digits and any of `_-.@:`, came { $name }
known-role-wrong = expected one of admin, inspector, grid_officer, volunteer, collector, auditor, resident, came { $role }
known-right-wrong = expected a right such as see_site or see_households, came { $right }
known-day-wrong = a day is written YYYY-MM-DD and must exist, such as 2026-03-01; came { $got }

# A rule's file (rules, toml).
known-rule-constant-wrong = rule constant { $name } must be { $expected }, came { $got }
known-rule-constant-unknown = unknown field `{ $name }`, expected one of { $known }

# What clap says about wrong usage.
known-usage-error = error: { $reason }
known-usage-tip = tip: { $tip }
known-usage = Usage: { $usage }
known-usage-options = { $command } [OPTIONS]{ $more }
known-more-information = For more information, try '{ $flag }'.
known-command-unknown = unrecognized subcommand '{ $command }'
known-argument-unknown = unexpected argument '{ $argument }' found
known-arguments-missing = the following required arguments were not provided:
known-argument-repeated = the argument '{ $argument }' cannot be used multiple times
known-value-refused = invalid value '{ $value }' for '{ $argument }': { $reason }
known-value-missing = a value is required for '{ $argument }' but none was supplied
known-value-unexpected = unexpected value '{ $value }' for '{ $argument }' found; no more were expected
known-value-out-of-range = { $value } is not in { $range }
known-similar-command = a similar subcommand exists: '{ $command }'
known-similar-argument = a similar argument exists: '{ $argument }'
known-pass-as-value = to pass '{ $value }' as a value, use '{ $usage }'

# Help: what clap puts around it.
known-heading-usage = Usage:
known-heading-commands = Commands:
known-heading-arguments = Arguments:
known-heading-options = Options:
known-default = [default: { $value }]
known-environment = [env: { $name }]

# Help: placeholders.
known-name-command = COMMAND
known-name-file = FILE
known-name-folder = DIR
known-name-level = LEVEL
known-name-address = ADDR:PORT
known-name-roles = ROLE,...
known-name-target = TARGET
known-name-date = DATE
known-name-token = TOKEN
known-name-account = ACCOUNT
known-name-days = DAYS
known-name-seed = SEED
known-name-speed = SPEED
known-name-estate = ESTATE
known-name-station = STATION
known-name-id = ID
known-name-boot = BOOT
known-name-recipient = RECIPIENT
known-name-name = NAME
known-name-role = ROLE
known-name-right = RIGHT,...
known-name-label = LABEL
known-name-building = BUILDING
known-name-url = URL
known-name-unit = UNIT
known-name-door = DOOR
known-name-residents = RESIDENTS
known-name-pool = POOL
known-name-points = POINTS
known-name-key = KEY
known-name-kind = KIND
known-name-member = NAME=VALUE

# Help: commands.
known-help-hemu = The open backend for household waste sorting
known-help-demo = Run everything on a simulated estate: 90 days of history through MQTT, then live
known-help-serve = Run the server
known-help-config = Print a configuration file with every setting explained
known-help-migrate = Bring the data folder's files up to this version
known-help-device = Devices: add, checked, command, commands, list, revoke, rotate
known-help-device-add = Register a device; prints its id and key as one JSON line. The key is shown only here
known-help-device-checked = Record that a person looked at a device whose records came with two contents under one number: what it sent with that boot counts again, as it came first
known-help-device-command = Tell a device something. It is kept until the device has it, and comes again with every connection until then
known-help-command-kind = What it is to do: unlock for a collector, refuse a bag, take new settings, or show a message
known-help-command-members = A member of the command, such as text=full or seconds=60; a value that is JSON goes as such. May be given more than once
known-help-device-commands = List the newest commands of a device, and whether it has them
known-help-device-list = List registered devices
known-help-device-revoke = End a device's right to log in, and within five seconds its connection; what it sent stays
known-help-device-rotate = Give a device a new key; the old one stops working, and within five seconds a connection that was opened with it ends
known-help-household = Households: import, moved, code, people, revoke, correct, export, erase
known-help-household-code = Print a code with which somebody of a household logs in, once, within thirty days
known-help-code-token = The household's token; or a building, to print the codes of all its households
known-help-code-delegate = The account of somebody else that is to act for the household, for those without a phone
known-help-code-estate = The estate the building stands in
known-help-code-building = All households of this building
known-help-code-csv = Where to write the codes, to be printed; `-` for stdout
known-help-code-url = How people reach the site (default: where it listens)
known-help-user = Accounts of people: add, list, disable, enable, password, role, totp, code
known-help-user-add = Add an account; its password is read from stdin
known-help-user-name-new = Letters, digits and any of `_-.@:`, at most 64; no resident's name
known-help-user-role-word = `admin`, `inspector`, `grid_officer`, `volunteer`, `collector` or `auditor`
known-help-user-add-code = Print a code to choose a password with, once, within a day, instead of reading one
known-help-user-list = List the accounts
known-help-user-disable = End an account's right to log in; what it did stays
known-help-user-enable = Give an account its right to log in back
known-help-user-password = Give an account another password, read from stdin; whoever is logged in with it logs in again
known-help-user-role = Give an account another role
known-help-user-totp = Give an account a second factor, to be scanned with a phone
known-help-user-totp-remove = Take it away instead
known-help-user-code = Print a code with which an account sets its password, once, within a day
known-help-user-name = The account
known-help-token = Tokens of programs: add, list, revoke
known-help-token-add = Let a program act as an account; prints the token as one JSON line. It is shown only here
known-help-token-scopes = The rights it has, of those the account has, such as `see_site,see_lists`; `see_screen` alone for a screen on a wall
known-help-token-label = What it is for
known-help-token-days = Days until it ends
known-help-token-list = List the tokens there are, without what they are
known-help-token-revoke = End a token
known-help-token-id = What `hemu token list` calls it
known-help-household-import = Register households from a CSV file: household,estate,building,unit,door,residents,station (only household is needed). A household that is there already gets the new place
known-help-household-moved = Record that a new occupant began: what was before, and that day itself, counts for them in nothing
known-help-household-token = The household's token
known-help-household-day = The local day on which they began, such as 2026-03-02
known-help-household-undo = It was a mistake: nobody moved on that day
known-help-household-people = List the accounts that act for a household, its own and its delegates'
known-help-household-revoke = End that an account acts for a household, at once; the account stays, with its other households
known-help-household-revoked = The account, as `hemu household people` lists it
known-help-household-export = Write everything that is held about a household, as JSON, for the household
known-help-audit = The audit trail, newest first: who did what and why, and who looked at a household
known-help-audit-household = Only what is about this household
known-help-audit-actor = Only what this account did
known-help-audit-kind = Only acts of this kind, such as `correct`
known-help-audit-from = From this local day on, such as 2026-03-01
known-help-audit-to = Up to the end of this local day
known-help-audit-csv = Where to write it as CSV; `-` for stdout
known-name-word = WORD
known-help-privacy = Print what this system holds of people, why, for how long and who sees it, as Markdown
known-help-household-correct = Correct where a household lives; what is not given stays as it is
known-help-household-erase = Erase a household: its key, where it lives and what was written about it. This cannot be undone
known-help-household-reason = The file with the reason, or `-` for stdin; it is kept, so it must not say who they were
known-help-household-building = The right building
known-help-household-unit = The right unit of it
known-help-household-door = The right door
known-help-household-residents = How many live there
known-help-bank = Minutes of service and points: fund, release, pools, export
known-help-bank-fund = Put points into a pool, from which officers award them; a pool that is not there yet begins so
known-help-bank-release = Take points out of a pool again
known-help-bank-pools = List the pools: what each has, was given and has awarded
known-help-bank-export = Write every entry of both currencies, oldest first
known-help-bank-csv = The file to write, or `-` for stdout
known-help-bank-pool = The pool: 1 to 32 small letters, digits and `-`
known-help-bank-points = Whole points
known-help-bank-reason = The file with the reason, or `-` for stdin
known-help-bank-key = A name of this one order, 8 to 64 letters, digits, `_` and `-`: given again under the same name, it is not done again (default: a name drawn by chance)
known-help-import = Import readings from a CSV file, with the columns `reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence` in any order. Rows that are rejected, or that contradict what is stored, go to FILE.rejected.csv with line and reason; one of an earlier run is removed first
known-help-export = Write every accepted deposit in journal order
known-help-lists = Compute editions of the red and black lists, without publishing anything
known-help-lists-from = The first edition: evidence of the days before this local day, such as 2026-03-02
known-help-lists-to = No edition after this day
known-help-lists-every = Days from one edition to the next
known-help-rules = The rule behind the lists: show it, try another, re-estimate its constants, adopt one. Nothing is published
known-help-rules-show = Print the rule in force, every constant explained; a changed copy is what `dry-run` takes
known-help-rules-dry-run = Compute editions by the rule in force and by another one, and say who would move
known-help-rules-estimate = Estimate from the readings what the rule assumes of days and of drift
known-help-rules-propose = Propose a rule for the editions from a day on; it is in force once another person confirms it
known-help-rules-confirm = Confirm a rule that another person proposed
known-help-rules-shadow = Have a rule compute editions of its own beside the real ones, from a day on; it publishes nothing
known-help-rules-end-shadow = End a rule that runs in the shadow; what it computed stays readable
known-help-rules-list = List the rules that were proposed and adopted, and those in the shadow, with their days and who did it
known-help-rules-new-file = The new rule, with every constant, as `hemu rules show` prints them, and a version number of its own
known-help-rules-from = The first edition day it is for, such as 2026-03-02
known-help-rules-id = Its number in `hemu rules list`
known-help-account = The account that answers for it
known-help-rules-file = The other rule, with every constant, as `hemu rules show` prints them
known-help-rules-truth = What is true of simulated households, to grade both: `household,archetype,edition_day,theta28`
known-help-rules-day-zero = The day that `edition_day` counts from (default: that of the first deposit)
known-help-rules-csv = Where to write who moves and by which gates; `-` for stdout
known-help-rules-first-day = First local day of evidence, such as 2026-03-01
known-help-rules-last-day = Last local day of evidence; at most 90 days
known-help-edition = Editions of the lists: list, show, recompute
known-help-edition-list = List the editions there are, newest first
known-help-edition-show = Show one: how far it is, what it was computed from, and what came out
known-help-edition-recompute = Compute one again from the journal, bit for bit, and compare it with what is stored; exit 1 if it differs
known-help-edition-id = The edition's number, as `hemu edition list` prints it
known-help-verify = Check the journal's hash chain and the projections against it; exit 1 and the first bad row if not
known-help-copy = Copy a site into an empty PostgreSQL, or from one into an empty data folder: journal, registry, what people decided. What is copied stays where it is. Stop the servers first
known-help-rebuild = Drop the projections and the charts and fold them again from the journal
known-help-backup = Write a backup of everything that cannot be computed again into one file; a server may go on meanwhile
known-help-backup-file = The file to write; one that is there is replaced once the new one is whole
known-help-backup-recipient = Encrypt for the holder of this key, as age writes it (age1...); can be given more than once
known-help-backup-passphrase = Encrypt with the passphrase in the first line of this file
known-help-backup-new-key = Make a key instead: write it to this file, to be kept elsewhere, and print its recipient
known-help-series = The charts' engine that `series_url` names: backfill
known-help-series-backfill = Send the engine everything once more, after it was emptied or restored; goes on where it was stopped. A server may go on meanwhile
known-help-restore = Put a backup in the data folder's place; devices then send again what they still hold
known-help-restore-file = The backup
known-help-restore-replace = Move what the data folder holds aside, into replaced-TIME in it, instead of refusing
known-help-restore-keep-lists = Leave every list as it is in the backup: nothing was decided or objected to since
known-help-restore-identity = The file with the key that the backup is encrypted for
known-help-restore-passphrase = The file with the passphrase in its first line
known-help-ready = Ask the running server whether it can do its work; exit 1 if not
known-help-doctor = Look for what will cause trouble: the folder, the files, the clock, the listeners
known-help-help = Print this message or the help of the given subcommand(s)

# Help: arguments.
known-help-config-file = The configuration file; `hemu config` prints one with every setting explained
known-help-data = The data folder (default: ./hemu-data, or what `HEMU_DATA` says)
known-help-log = How much to log on stderr: error, warn, info, debug, or a filter as tracing writes it
known-help-flag = Print help
known-help-version = Print version
known-help-roles = What this node does, where several share a PostgreSQL: endpoint, ingest, projector, api, jobs (default: all)
known-help-copy-target = `postgres://user@host:5432/database` (its password belongs in a passfile), or a folder
known-help-mqtt-listen = Devices, MQTT 3.1.1 and 5
known-help-http-listen = Dashboards and API, unencrypted
known-help-metrics-listen = Prometheus metrics
known-help-days = Days of history
known-help-seed = The simulated estate's seed: the same seed is the same estate and the same life
known-help-speed = Simulated seconds a second once the history is in
known-help-history-only = Stop after the history, instead of going on live
known-help-device-id-new = Letters, digits, `_` and `-`, at most 64
known-help-device-id = The device
known-help-device-boot = The boot, as `hemu doctor` names it
known-help-device-estate = The estate it stands in
known-help-device-station = The station it belongs to
known-help-device-mosquitto = Keep Mosquitto's password file in step; the broker reads it again at SIGHUP
known-help-household-file = The file, or `-` for stdin
known-help-import-file = The file, or `-` for stdin; `.gz` is unpacked
known-help-strict = Reject rows that name an unknown household, device or estate, instead of adding it
known-help-csv = Where to write; `-` for stdout
known-help-from = First local day (of the deposit), such as 2026-03-01
known-help-to = Last local day
