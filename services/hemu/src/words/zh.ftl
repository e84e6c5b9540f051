### 命令行的中文消息。键和变量与 en.ftl 相同，由测试比对。
### 用语：小区 estate，集置点 station，居民户 household，设备 device，密钥 key，投放记录 deposit，数据目录 data folder，
### 流水账本 journal，批次 batch，哈希链 hash chain，投影 projections，图表 charts，配置项 setting，汇总 fold。

## 句子的拼接

because = { $what }：{ $why }
time-left = 剩余 { $eta }

## 配置

configuration-missing = 配置文件 { $file } 不存在；可用 `hemu config > { $file }` 生成
configuration-unreadable = 无法读取配置
plain-off-this-machine = { $setting } 设为 { $address }，其他机器会以明文发送密码和密钥；请改用 { $instead } 并设置 tls_certificate 和 tls_key；若前面已有加密的代理，可设 allow_plain = true
hosts-missing = 其他机器可以访问看板，因此 hosts 应列出所用的域名，例如 hosts = ["hemu.example.cn"]；目前为空
tls-incomplete = 启用 TLS 须同时设置 mqtt_tls_listen 或 https_listen、tls_certificate 和 tls_key，目前缺少其中几项
roles-need-a-store = roles 设为 { $roles }，但数据存于文件的站点只有一个服务器，须承担全部工作；请将 store 设为多个节点共用的 PostgreSQL，或去掉 roles
broker-url-wrong = broker_url 应为 mqtt://主机[:端口] 或 mqtts://主机[:端口]，且不含登录信息；登录信息请填入 broker_username 和 broker_password
broker-name-wrong = { $setting } 应为 1 至 64 个字母、数字、`_` 或 `-`，任何代理都接受这些字符
broker-group-needs-5 = broker_group 须与 broker_protocol "5" 同用：MQTT 3.1.1 没有共享订阅
broker-password-alone = 设置 broker_password 时还须设置 broker_username
broker-nothing-in-flight = broker_receive_maximum 应为 1 至 65535，实际为 0
broker-authorities-wrong = broker_ca 与 mqtts:// 须同时使用：该文件为 PEM 格式，内含代理证书签发者的证书
log-filter-wrong = log 设为 { $filter }；应为日志级别（如 info）或过滤规则（如 info,hemu=debug）

## 文件

cannot-read = 无法读取 { $file }
cannot-write = 无法写入 { $file }

## 启动与退出

cannot-start = 无法启动运行环境
clock-before-2025 = 本机时钟早于 2025 年；请先校准时钟，否则所有读数都不会计分
cannot-listen = 无法监听 { $address }；请释放该端口，或将 { $setting } 改为其他端口（0 表示任选空闲端口）
cannot-listen-with-certificate = 无法使用给定的证书监听 { $address } 和 { $tls }
folding-the-journal = 汇总流水账本
ended-by-itself = { $part }意外退出，这是程序缺陷；已确认的数据均已保存，请重新启动服务器
the-endpoint = MQTT 接入端
the-broker-door = 代理接入端
the-committer = 提交器
the-projector = 投影器
one-of-its-tasks = 附属任务之一（见日志）

## hemu demo

everybody-is-simulated = 演示中的人物均为模拟，只有小区的总量数据是真实的。
history-through-mqtt = 经 MQTT 写入历史
scores-and-charts = 评分与图表
history-is-in = 共 { $days } 天、{ $records } 条记录，经 MQTT 写入用时 { $seconds } 秒（每秒 { $rate } 条），每条记录均在落盘后才予以确认
demo-login = 登录账户 { $name }（{ $role }），密码 { $password }
demo-code = 或以某户居民的身份打开 { $url }，也可输入登录码：{ $code }
demo-phone = 上图是供手机扫描的该地址；手机须与本机在同一网络中。
demo-screen = 大屏：{ $url }
demo-bank-fund = 街道春季预算
demo-bank-award = 一周没有投错
demo-bank-redeem = 洗手液一瓶
open-the-page = 请在浏览器中打开 { $url }（时间以 { $speed } 倍速流逝；按 Ctrl-C 结束）
simulator-refused = 接入端拒收了模拟器的 { $records } 条记录
simulator-stopped = 模拟设备已停止
folder-is-not-a-demo = { $folder } 中的数据不是演示数据；请用 --data 为演示另选目录，或对该目录运行 `hemu serve`
demo-does-everything = 演示在一个进程内完成全部工作；请去掉 roles

## hemu migrate、rebuild、verify

up-to-date = { $folder } 已是最新版本
copying = 流水账本
copied = { $batches } 个批次已原样复制到 { $target }（末尾哈希 { $head }）；请将 store 或 data 指向它，核对之前请保留原数据
projections = 投影
charts = 图表
no-engine = 图表没有使用时序数据库：未设置 series_url，图表保存在数据目录中
backfill-stopped = 其余部分由 `hemu serve` 发送，或再次运行本命令时发送
charts-sent = 已向 { $engine } 发送 { $buckets } 个时段
folded-again = 已重新汇总 { $records } 条记录
hash-chain = 哈希链
journal-is-whole = 流水账本：共 { $batches } 个批次，哈希链完整，链头为 { $head }
projections-are-right = 投影：每一行都与流水账本一致
projections-differ = 投影与流水账本不一致：{ $difference }

## hemu backup、restore

backup-copied = 复制并检查
backup-packed = 打包
backup-unpacked = 解包
backup-no-room = { $folder } 剩余 { $free } 字节，而制作备份期间需要 { $needed } 字节；请先腾出空间，未写入任何内容
backup-holds = { $batches } 个批次，{ $records } 条记录，最后一批存入时间 { $until }，链头 { $head }，代号 { $generation }
backup-written = 已写入 { $file }：{ $bytes } 字节，用时 { $seconds } 秒
backup-is-open = 该文件未加密：其中住户的门牌等已用密钥封存，而密钥文件 secrets.key 不在其中；请另存一份密钥文件，或使用 --recipient 将两者一并加密
backup-damaged = 文件损坏或不完整；请使用另一份备份
backup-needs-identity = 该文件已用密钥加密；请用 --identity 指定密钥文件
backup-needs-passphrase = 该文件已用口令加密；请用 --passphrase-file 指定口令文件
backup-wrong-key = 该文件是用另一个密钥或另一个口令加密的
not-a-backup = 这不是备份：应为 `hemu backup` 写出的文件
key-is-made = 打开此类备份的密钥在 { $file } 中：请把它保存在另一台机器上，并另留一份；没有它就无法打开备份
recipient-wrong = 接收者应为 `hemu backup --new-key` 所输出的样式，即 age1 加 58 个字母和数字，实际为 { $recipient }
identity-wrong = { $file } 中没有密钥；应有一行以 AGE-SECRET-KEY-1 开头
passphrase-empty = { $file }：第一行应为口令，实际为空
restore-moved-aside = 原有内容已移至 { $folder }
restore-withheld = 有 { $editions } 期名单（草案、异议期、审议中或公示中）已收回，因为备份之后的办理情况无从得知：下一期将照常计算、告知和审议。请备份之后提出过异议的住户重新提出；若此后确无任何办理，可用 --keep-lists 保持名单原状
restore-erased-again = 此后被删除的 { $households } 户已再次删除
restore-locked = 有 { $households } 户的门牌、人数和文字无法读取：封存所用的密钥不在 { $file } 中；请将该密钥所在行加入此文件，或重新登记这些住户
restore-done = { $folder } 已恢复，代号为 { $generation }，用时 { $seconds } 秒；请启动服务：设备会重新发送其仍保存的记录，图表会重新生成

## hemu device

device-id-wrong = 设备编号应为 1 至 64 个字母、数字、`_` 或 `-`；{ $id } 不符合要求
device-checked = 已记录：设备 { $id } 以启动号 { $boot } 发送的记录从现在起计分
command-too-long = 命令最多 { $most } 字节，实际为 { $bytes } 字节；请写短一些
device-revoked = 设备 { $id } 已不能登录；若连接仍未断开，将在五秒内断开
no-randomness = 操作系统没有给出随机数
mosquitto-file-not-kept = 登记已完成，但无法写入 Mosquitto 的密码文件 { $file }；请使其可写，再带上该文件运行 `hemu device rotate` 或 `revoke`

## hemu user、token、household code

user-added = { $name } 可以登录，角色为 { $role }
user-disabled = { $name } 已停用；已登录的会话随即结束
user-enabled = { $name } 可以再次登录
user-password-set = 已更换 { $name } 的密码
user-role-set = { $name } 的角色现为 { $role }
user-totp-removed = { $name } 登录时不再需要第二重验证
user-totp-scan = 请用作为 { $name } 第二重验证的手机扫描；仅显示这一次
password-missing = 应在标准输入的第一行给出密码，实际没有
token-revoked = 令牌 { $id } 已失效
codes-written = 已将 { $count } 个登录码写入 { $file }；每个码在 { $days } 天内可供一人登录一次
code-not-drawn = 无法将登录码画成二维码
no-household-there = 小区 { $estate } 的 { $building } 号楼没有登记任何居民户
first-admin = 本站点还没有管理员。打开 { $url } 并输入此码的人将成为首位管理员：{ $code }（仅可用一次，{ $days } 天后或服务器重启后失效）

## hemu lists

editions = 计算榜单
first-edition-after-last = --from { $from } 晚于 --to { $to }；第一期应早于最后一期
edition-summary = { $edition }：红榜 { $red } 户，黑榜 { $black } 户，灰色 { $grey } 户，未评 { $unrated } 户

## hemu edition

edition-row = { $id }  { $day }  第{ $revision }版  { $state }  { $counts }
edition-counts = 红榜{ $red }户，黑榜{ $black }户，灰{ $grey }户，不评分{ $unrated }户
edition-heading = 第{ $id }号榜单，{ $day }，第{ $revision }版：{ $state }
edition-origin = 依据日志到第{ $position }批为止，按第{ $version }版规则（{ $hash }）计算
edition-digest = 摘要 { $digest }
edition-warned = 已提醒{ $notices }户
edition-window = 各户可在{ $deadline }之前提出异议
edition-published = 公布范围：{ $audience }，到{ $until }为止，由{ $first }和{ $second }公布
edition-corrected = 其中有读数被撤除，需要重新计算
edition-successor = 已由第{ $id }号榜单取代
edition-same = 第{ $id }号榜单：重新计算的结果与存储的完全一致
edition-differs = 第{ $id }号榜单重新计算的结果不同：存储的是{ $stored }，计算得到{ $computed }；请运行 `hemu verify`，并保留此文件夹以备检查
edition-unknown = 没有第{ $id }号榜单；`hemu edition list` 会列出现有的榜单
state-draft = 草案
state-noticed = 已通知各户
state-deciding = 审定中
state-published = 已公布
state-expired = 已到期
state-superseded = 已被取代
state-retracted = 已撤回
audience-private = 仅各户本人
audience-building = 本楼
audience-masked = 所有人（匿名）

## hemu rules

rule-wrong = { $file } 不是有效的规则：{ $reason }；`hemu rules show` 可打印一份
rule-moves = 按两种规则计算了 { $editions } 期：按另一规则，状态不同的有 { $moves } 户次
rule-move = { $from } -> { $to }：{ $count }
rule-grades = 指标                              现行      另一
estimate-days-wrong = --from 至 --to 共 { $days } 天；应为 2 至 { $most } 天
estimate-days = 共 { $days } 天（{ $from } 至 { $to }）
estimate-row = { $name }：估计值 { $estimate }，现行值 { $value }，依据 { $households } 户
rule-is-proposed = 已提议自 { $from } 起采用规则版本 { $version }，编号 { $id }；须由另一人用 `hemu rules confirm { $id }` 确认
rule-first = 版本 { $version }：hemu 自带，在采用其他版本之前有效
rule-adopted = { $id }：版本 { $version }，自 { $from } 起，由 { $by } 提议，{ $other } 确认
rule-pending = { $id }：版本 { $version }，自 { $from } 起，由 { $by } 提议，尚未确认
shadow-runs = 规则版本 { $version } 自 { $from } 起影子运行，编号 { $id }；不发布任何内容
shadow-line = { $id }：版本 { $version }，自 { $from } 起影子运行
shadow-ended = { $id }：版本 { $version }，自 { $from } 起影子运行，已结束
estimate-early = 不足 { $least } 天：不宜据此修改规则

## hemu privacy

privacy-title = { $site } 的个人信息
privacy-made = 由 hemu { $version } 于 { $at } 依据现行配置、角色和已存内容生成。留空之处由运营者填写。
privacy-summary = 住户只以无含义的户号标识。其确切住址以及任何人写下的有关文字，均以该户自己的密钥封存；删除密钥即删除该户。机器只提议，由具名的人决定，住户可以提出异议。系统不含照片、人脸、姓名和电话号码。
privacy-what = 保存的内容
privacy-columns = | 内容 | 用途 | 合法性依据 | 存放处 | 保存期限 | 可见者 |
privacy-token = 户号
privacy-token-why = 将投放记录归于一户而不指名
privacy-unit = 小区、楼栋、单元、集置点
privacy-unit-why = 按楼栋和单元的榜单、上门、投放地点
privacy-door = 门牌、居住人数
privacy-door-why = 送达通知和上门；按人数计参与率
privacy-deposits = 投放记录：时刻、桶、类别、克数、质量
privacy-deposits-why = 评分及其解释
privacy-places = 评分、提醒、榜上位置及决定者
privacy-places-why = 按正当程序形成红黑榜
privacy-bank = 服务分钟与积分：每一笔账目、为他人做的服务
privacy-bank-why = 互助回报与分类兑换
privacy-words = 异议、理由和更正的文字
privacy-words-why = 使决定可以理解、可以申诉
privacy-looks = 哪个账户在哪天查看过哪户
privacy-looks-why = 使查看者承担责任
privacy-raw = 无法解读的消息的原始字节
privacy-raw-why = 查找设备故障
privacy-raw-long = 展示 { $days } 天，之后只展示哈希；与流水账本同存
privacy-in-register = 登记册（hemu.db）
privacy-in-register-sealed = 登记册（hemu.db），已封存
privacy-in-journal = 流水账本（hemu.db）及由其汇总的内容
privacy-until-erased = 至更正或删除为止
privacy-with-the-journal = 与流水账本同存；删除住户后不再指向任何人
privacy-days = { $days } 天
privacy-residents = 居民只能看到自己的一户，且仅限自己居住的时期；公众只能看到已公布的榜单，且已遮盖。
privacy-roles = 操作记录可由以下角色查阅：{ $trail }。住户的更正、导出和删除由以下角色经办：{ $keepers }。
privacy-publications = 目前公开的内容
privacy-nothing-public = 无。
privacy-publication-columns = | 榜单日期 | 受众 | 合法性依据 | 提议者 | 公布者 | 截止 |
privacy-numbers = 数量
privacy-number-households = { $households } 户，其中 { $sealed } 户有自己的密钥
privacy-number-consents = { $consents } 户同意公开表扬（唯一需要同意的用途）
privacy-number-texts = { $texts } 段文字，{ $looks } 行查看记录
privacy-number-erased = 已删除 { $erased } 户，最近一次为 { $last }
privacy-backups = 备份
privacy-no-backups = 服务器不制作备份（未设置 backup_to）。
privacy-backups-open = 存于 { $folder }，保留最近一小时内的全部备份，更早的每小时一份，共 { $keep } 份，未加密：已封存的内容仍然封存，密钥文件不在其中。最新一份始于 { $newest }。
privacy-backups-sealed = 存于 { $folder }，保留最近一小时内的全部备份，更早的每小时一份，共 { $keep } 份，已加密，密钥文件在其中。最新一份始于 { $newest }。

## hemu household import、import、export

households = 居民户
household-moved = 已记录：自 { $day } 起换了新住户；当天的投放不计入任何人，此前的只计入原住户
household-access-revoked = { $name } 不再代表该户；其账户和其他住户不受影响
household-corrected = 已更正；更正前后的内容见操作记录 { $position }
household-erased = 已删除；删除一事、经办人和理由见操作记录 { $position }
log-not-wiped = 此刻有程序正在读取文件；旁边的日志里还留有已删除的内容，服务器会将其清空
looks-kept-too-short = keep_looks_days 应为 { $least } 或更大，实际为 { $days }：法律要求查看记录至少保留六个月
no-such-household = 没有这一户
household-exported = 该户的全部信息已写入 { $file }，仅文件所有者可读
bank-booked = 已入账，编号 { $position }
bank-written = 已将 { $rows } 笔账目写入 { $file }，他人无权读取
audit-look = { $day } { $actor } 查看了住户 { $household } 的 { $what }（{ $count } 次）
audit-written = 已将 { $rows } 行写入 { $file }
check-retention = 保留期限
retention-overdue = 有 { $looks } 行查看记录和 { $words } 段文字已超过 keep_looks_days 和 keep_words_days 所定的期限，另有 { $logins } 个会话和登录码早已过期；请启动服务器，它会将其删除
check-key-file = 密钥文件
key-file-is-open = { $file } 可被其所有者以外的人读写；请执行 chmod 600
household-did-not-move = 已记录：{ $day } 并未换住户
households-registered = 已登记 { $count } 户居民
line-unreadable = 无法读取第 { $line } 行；未导入任何数据
line-wrong = 第 { $line } 行有误；未导入任何数据
station-needs-an-estate = 第 { $line } 行：集置点 { $station } 尚未登记，应注明所在小区；请填写 estate 列，或不填集置点；未导入任何内容
household-token-wrong = household 应为 1 至 64 个字符的居民户标识，实际为 { $token }
household-place-wrong = { $column } 应为 1 至 64 个可打印的字符
household-residents-wrong = residents 应为 0 至 99，实际为 { $residents }
rows = 行
rows-imported = 读取 { $read } 行，新增 { $new } 行，重复 { $repeated } 行，拒收 { $rejected } 行，冲突 { $conflicting } 行
rejected-rows-are-in = 冲突和被拒收的行及其行号和原因已写入 { $file }
rejected-file-is-another = { $file } 用于存放被拒收的行，但现有内容并非如此；请将其移走
exporting = 导出
deposits-written = 已将 { $rows } 条投放记录写入 { $file }

## hemu doctor

finding-ok = 正常  { $what }
finding-wrong = 异常  { $what }：{ $trouble }
findings-wrong = 有 { $wrong } 项检查发现异常

## hemu ready

ready-no-answer = http_listen（{ $address }）没有服务应答：请启动服务，或询问担任 api 角色的节点
ready-another-answer = http_listen（{ $address }）的应答不是本版本的和睦
not-ready = 服务目前无法工作
check-clock = 时钟
check-log = 预写日志
check-device-listener = 设备监听
check-listeners = 监听端口
check-position = 投影位置
check-charts = 图表
check-engine = 图表数据库 { $engine }
charts-behind = 比流水账本落后 { $batches } 个批次；请运行 `hemu serve`，若已在运行请查看其日志
engine-behind = 尚缺 { $buckets } 个时段；请运行 `hemu serve` 或 `hemu series backfill`，若服务已在运行请查看其日志
engine-forgets = 已不再保存曾发送过的 { $day }；请延长其保留期（VictoriaMetrics：-retentionPeriod=100y；InfluxDB：存储桶的保留期），然后运行 `hemu series backfill`
check-broker = 代理
check-device-clocks = 设备时钟
check-disk = 磁盘
check-dashboards-listener = 看板监听
check-metrics-listener = 指标监听端口
check-backups = 备份
check-pragmas = { $file } 的保存方式
clock-went-back = 最新批次的存入时间比它还晚 { $minutes } 分钟；请校准时钟，否则现在收到的记录会显得超前而不计分
clock-is-behind = 自昨天起有数据的 { $all } 台设备中，{ $count } 台比本机快五分钟以上；请校准本机时钟（并启用时间同步服务）
device-clock-ahead = 自昨天起有数据的设备中有 { $count } 台快五分钟以上，其中一台是 { $device }；请校准这些设备的时钟，其读数暂不计分
disk-nearly-full = 剩余 { $free } MiB，应至少有 { $least } MiB；请腾出空间；写满时删除 { $reserve } 可暂时应急
passwords-in-the-clear = http_listen 设为 { $address }，会向其他机器明文传输密码和居民信息；请改用 https_listen
metrics-for-everybody = metrics_listen { $address } 会把本机的运行情况以明文告诉其他机器；请使用 127.0.0.1，或用防火墙只允许采集方访问
backups-unreadable = 无法读取 { $folder }（{ $reason }）；请将 backup_to 设为已有的目录
backup-never = { $folder } 中还没有备份；请启动服务，或查明为何无法写入
backup-is-old = { $folder } 中最新的备份已有 { $minutes } 分钟，超过 backup_minutes 的两倍；服务日志会说明未能备份的原因或每次备份的耗时：备份最多占用十分之一的时间，可将 backup_minutes 设大，或换用更快的磁盘
journal-mode-wrong = 其日志模式为 { $mode }，而不是 wal；请将数据目录放在本地磁盘上
journal-mode-was-changed = 曾有其他程序去掉了它的预写日志，现已恢复；请不要让该程序使用数据目录
synchronous-wrong = 连接上的 synchronous 为 { $found }，至少应为 { $least }；这是程序错误，断电时可能丢失已确认的读数
check-database = 数据库断电后的保存情况
check-standby = 数据库的备机
check-no-standby = 数据库没有备机，已确认的数据只在它自己的磁盘上
database-forgets = { $setting } 已关闭，断电时可能丢失已确认的读数；请在其 postgresql.conf 中设置 { $setting } = on
database-unsure = 连接上的 synchronous_commit 为 { $found }，应为 on；中间有程序去掉了我们的设置，请直接连接数据库
standby-not-waited-for = 有 { $standbys } 台备机在跟随，但提交时不等待任何一台；备机接管后可能缺少已确认的读数；请在 synchronous_standby_names 中写明备机
standby-away = 提交要等待的备机不在，在它回来之前不会确认任何读数；请恢复备机，或将其从 synchronous_standby_names 中去掉
check-conflicts = 记录标识
conflicts-found = 最近 7 天有 { $conflicts } 条记录与已有标识相同但内容不同，来自 { $devices }；均不计分。若两台设备共用一个密钥，请用 `hemu device rotate` 更换
check-frozen = 等待人工核实的投放记录
boots-frozen = 有 { $held } 条投放记录不计分，因为其设备在同一编号下发送了两种内容：{ $boots }。请查明是哪台设备，若两台设备共用密钥请更换，然后运行 `hemu device checked DEVICE --boot BOOT --account ACCOUNT`
broker-in-the-clear = { $address } 会把代理的密码和所有读数以明文发往其他机器；请使用 mqtts://，或在本机运行代理
broker-drops = 代理自启动以来丢弃了 { $dropped } 条消息；请调高其 max_queued_messages，或查明接收缓慢的原因
clock-is-wrong = 时钟早于 2025 年；请先校准，否则读数会显得超前
log-is-long = 已增长到 { $bytes } 字节；有程序长时间占用着文件的旧视图，请重启服务器
keys-in-the-clear = mqtt_listen 设为 { $address }，会向其他机器明文传输密钥；请改用 mqtt_tls_listen
projections-ahead = 投影已到批次 { $applied }，而流水账本止于批次 { $head }；请运行 `hemu rebuild`
port-taken = 无法监听 { $address }：{ $reason }

## 以下为其他模块和第三方库的文字，按英文原文识别，变量部分再单独翻译。

# 读取配置（figment）
known-setting-wrong-in-file = 文件 { $file } 中的 { $key }：{ $reason }
known-setting-wrong-in-environment = 环境变量 HEMU_{ $key }：{ $reason }
known-file-wrong = 文件 { $file }：{ $reason }
known-setting-unknown = 没有名为 `{ $key }` 的配置项；可用的配置项有 { $known }
known-type-wrong = 值的类型有误，应为{ $expected }，实际为{ $got }
known-value-wrong = 值有误，应为{ $expected }，实际为{ $got }
known-toml-wrong = TOML 语法错误，行 { $line }，列 { $rest }
known-got-text = 字符串 { $value }
known-got-number = 整数 { $value }
known-expected-count = 非负整数
known-expected-small-count = 非负整数
known-expected-smaller-count = 0 至 65535 的整数
known-choice-unknown = 没有 { $value } 这一选项，应为 { $known }
known-expected-text = 字符串
known-expected-path = 路径
known-expected-address = “地址:端口”
known-zone-wrong = 时区应为 Asia/Shanghai、UTC 或 +08:00 这样的固定偏移（不支持夏令时）；实际为 { $got }

# 数据目录（ledger、series）
known-edition-days = 应为 1d 至 366d，例如 7d；实际为 { $text }
known-command-kind = 应为 collect、refuse、config 或 message；实际为 { $text }
known-command-member = 应为 名字=值，例如 text=full；实际为 { $text }
known-score-failed = 某户的得分无法算出：{ $why }；这是程序缺陷，未生成榜单
known-files-in-use = { $folder } 中的文件正被另一个 hemu 进程（服务器、导入或检查）使用，而本命令要替换这些文件；请停止该进程或待其结束后再运行
known-files-replaced = 另一个 hemu 进程正在替换 { $folder } 中的文件；请待其结束后再运行
known-other-version = 数据目录 { $folder } 上正在运行另一版本的服务器或其命令；请停止它，或改用该版本的 hemu
known-folder-in-use = 数据目录 { $folder } 正被另一个 hemu 进程使用；请先停止该进程，或用 --data 另选目录
known-folder-unusable = 无法使用数据目录 { $folder }（{ $reason }）；请用 --data 指定一个可写的目录
known-version-newer = { $file } 由更新版本的 hemu 写入（其数据结构版本为 { $found }，本程序最高支持 { $known }）；请安装该版本，或恢复较早的备份
known-database = 数据库 { $file }：{ $reason }
known-series-database = 图表数据库：{ $reason }
known-series-damaged = 图表文件已损坏（日记录 { $place }）；请停止服务器并运行 `hemu rebuild` 重新生成
known-engine = 图表数据库 { $engine }：{ $trouble }
known-engine-unreachable = 在 { $address } 没有应答（{ $why }）；请启动它，或将 series_url 设为其地址
known-engine-slow = 在 { $seconds } 秒内没有应答；请查明它为何繁忙
known-engine-token = 拒绝访问（HTTP { $status }）；请将 series_token 设为有读写权限的令牌
known-engine-unknown = 找不到 series_url 所指的内容（HTTP 404：{ $text }）；请在其中建立该存储桶，或更正 series_url
known-engine-busy = 暂时无法处理（HTTP { $status }：{ $text }）
known-engine-refused = 不接受所发送的内容（HTTP { $status }：{ $text }）
known-engine-unreadable = 应答无法解读（{ $what }）
known-engine-url-scheme = series_url 应为 victoriametrics+http://主机:8428/ 或 influxdb+http://主机:8086/?org=组织&bucket=存储桶，实际为 { $scheme }
known-engine-url-https = series_url：与图表数据库之间不使用 https；请在本机运行带 TLS 的代理，并以 http 指向该代理
known-engine-url-login = series_url 中不应含登录信息；请设置 series_token
known-engine-url-parameters = series_url：{ $parameters }
known-engine-url-client = series_url：无法建立其客户端（{ $why }）
known-engine-url-names = org= 和 bucket= 都须给出名称
known-engine-url-names-only = 除 org= 和 bucket= 外不应有其他参数
known-engine-url-path = 不应带路径：InfluxDB 只在其地址的根路径下访问
known-engine-url-write = 除 write=（写入地址不同时使用，即集群的 vminsert）外不应有其他参数
known-engine-url-bare = write= 之后的地址不应带参数
known-engine-token-wrong = series_token 应为一行可打印的 ASCII 字符
known-database-said = 数据库返回错误：{ $reason }
known-not-a-database = 文件不是数据库，错误码 { $code }
known-database-locked = 数据库被锁定，错误码 { $code }
known-database-malformed = 数据库文件已损坏，错误码 { $code }
known-database-full = 数据库或磁盘已满，错误码 { $code }
known-journal-damaged = 流水账本在批次 { $position } 处损坏：{ $what }；请恢复备份，并保留该目录以便查明原因
known-journal-other = 投影所依据的流水账本在此处是另一个批次，或曾延续到此处；若是有意换回较早的流水账本，请运行 `hemu rebuild`
known-batch-missing = 此处应为批次 { $position }，缺少一个批次
known-batch-unreadable = 无法将该批次的字节解读为账目
known-zone-kept = { $folder } 按时区 { $zone } 划分日期，与配置不符；请将 zone 设为该时区，或不设置
known-row-differs = 表 { $table }（批次 { $position }）：所存为 { $stored }，按流水账本应为 { $expected }；请运行 `hemu rebuild`
known-household-differs = 表 household：令牌以 { $end } 结尾的住户，其记录与写入时不符；请核对后重新导入住户文件，或恢复备份
known-no-row = 无此行
known-key-file-unusable = 无法使用密钥文件 { $file }（{ $reason }）；请让 hemu 能够读取它，或用 secrets_file 指明其位置
known-key-file-missing = 密钥文件 { $file } 不存在，而 { $database } 中的住户信息是用它封存的；请从其他节点或保存处复制，或用 secrets_file 指明其位置
known-key-file-other = 密钥文件 { $file } 不是封存 { $database } 时所用的那一份；每个节点都须使用同一份：请从其他节点或保存处复制
known-key-file-garbled = 密钥文件 { $file } 中应为每行 64 个十六进制数字，实际不是；请放回正确的文件
known-nothing-corrected = 应给出与登记内容不同的楼栋、单元、门牌或人数
known-folder-holds-data = 数据目录 { $folder } 中已有数据；请用 --data 指定另一个目录，或用 --replace 将其移开
known-aside-taken = { $folder } 已存在
known-tables-elsewhere = 数据存放在 PostgreSQL 中；请停止服务器，用 `hemu copy 文件夹` 复制到一个文件夹（可备份，也可复制回去），或使用 pg_dump（用它恢复后，设备不会得知需要重发）

# 决定：为何被拒绝
known-refused-household = 未知住户（unknown_household）：{ $sentence }
known-refused-in-the-future = 日期尚未到来：{ $sentence }
known-day-not-begun = 日期应已开始，实际为 { $day }，而今天是 { $today }
known-move-recorded-already = { $day } 换住户一事已有记录
known-move-not-recorded = 没有该户在 { $day } 换住户的记录
known-refused-same-person = 须由另一人办理：{ $sentence }
known-refused-not-a-person = 只能由人办理：{ $sentence }
known-refused-already-decided = 已有决定：{ $sentence }
known-refused-wrong-state = 当前状态不允许：{ $sentence }
known-refused-unknown-rule = 没有这份规则：{ $sentence }
known-first-step-by = 第一步由 { $name } 办理，第二步须由另一人办理
known-only-a-person = 此事只能由具名的人办理，而 { $name } 不是
known-rule-version-taken = 版本 { $version } 已是另一份规则；请使用未被占用的版本号
known-rule-proposed-already = 自 { $from } 起采用版本 { $version } 已有提议，编号 { $id }
known-rule-adopted-already = 自 { $from } 起采用版本 { $version } 已由 { $name } 确认
known-rule-behind-an-edition = { $told } 一期已告知住户；规则的起始日应晚于此，实际为 { $from }
known-rule-not-proposed = 没有编号为 { $id } 的规则提议
known-no-household-of-token = 没有住户以此标识登记
known-refused-malformed = 内容有误：{ $sentence }
known-refused-name-taken = 名称已被占用：{ $sentence }
known-refused-unknown-account = 没有这个账户：{ $sentence }
known-refused-unknown-token = 没有这个令牌：{ $sentence }
known-account-taken = 已有账户 { $name }
known-account-unknown = 没有账户 { $name }
known-account-machines = 应为某个人的账户，实际为机器专用的 { $name }
known-account-not-disabled = 该账户未停用
known-account-disabled-already = 该账户已停用
known-account-only-admin = { $name } 是唯一的管理员；请先添加另一位
known-account-has-role = 该账户的角色已是 { $role }
known-account-is-a-residents = 居民账户由住户的登录码建立，不能改为其他角色，其他角色也不能改为居民
known-account-without-totp = 该账户没有第二重验证
known-delegate-wrong = 只有居民账户可以代住户办理，{ $name } 的角色为 { $role }
known-account-acts-not = { $name } 并不代表该户
known-token-label = 令牌用途应为 1 至 64 个字符，实际为 { $length } 个
known-token-rights = 只能给予该账户已有的权限，即 { $rights }
known-token-unknown = 没有在用的令牌 { $id }
known-refused-not-enough = 余额不足：{ $sentence }
known-refused-unknown-pool = 没有该积分池：{ $sentence }
known-refused-key-taken = 名字已用：{ $sentence }
known-refused-not-your-duty = 不属其职责：{ $sentence }
known-bank-pool-name = 积分池的名字应为 1 至 { $most } 个小写字母、数字或 -
known-bank-no-pool = 没有这个积分池；/api/v1/pools 列出已有的
known-bank-has = { $whose } 有 { $has } { $currency }，要求 { $amount }
known-bank-key = 名字应为 { $least } 至 { $most } 个字母、数字、_ 或 -，每次操作取新名
known-bank-key-taken = 这个名字已用于另一次操作；新的操作请取新名
known-bank-role = 应为有此权限的账号，实际角色为 { $role }
known-bank-words = 应为 1 至 { $most } 个字符，实际为 { $length } 个
known-password-length = 密码应为 10 至 128 个字符，实际为 { $length } 个
known-password-name = 密码不能与账户名相同
known-password-common = 密码不能是最常见的密码；几个互不相干的词既安全又好记

# 登记
known-device-there = 设备 { $id } 已登记；可用 `hemu device rotate { $id }` 为其更换密钥
known-device-not-there = 没有在用的设备 { $id }；可用 `hemu device list` 查看已登记的设备
known-station-elsewhere = 集置点 { $station } 属于小区 { $known }，而不是 { $estate }
known-station-new = 集置点 { $station } 尚未登记；请用 --estate 指明所属小区

# 导入的文件（ingest、csv）
known-column-missing = 表头缺少 { $column } 列；必须包含 { $columns }，次序不限
known-import-unreadable = 无法读取文件：{ $reason }
known-rejected-unwritable = 无法写入被拒收的行：{ $reason }
known-row-of-wrong-length = CSV 格式错误，记录 { $record }（第 { $line } 行，字节 { $byte }）：有 { $found } 个字段，而前一条记录有 { $expected } 个
known-row-of-wrong-values = CSV 内容错误，记录 { $record }（第 { $line } 行，字节 { $byte }）：{ $reason }
known-row-of-wrong-bytes = CSV 编码错误，记录 { $record }（第 { $line } 行，字段 { $field }，字节 { $byte }）：{ $reason }
known-field-wrong = 字段 { $field }：{ $reason }
known-field-missing = 缺少字段 { $name }
known-utf8-wrong = 字段 { $field } 在字节 { $byte } 附近不是有效的 UTF-8

# 证书（endpoint）
known-certificate-wrong = { $file } 应为 PEM 格式的证书：{ $reason }
known-private-key-wrong = { $file } 应为 PEM 格式的私钥：{ $reason }
known-pair-wrong = { $file } 应为 PEM 格式的证书，且与私钥匹配：{ $reason }
known-pem-io = 读写错误：{ $reason }
known-pem-empty = 文件中没有所需内容

# 代理（ingest）
known-broker-authorities = broker_ca：{ $file } 应为 PEM 格式的证书：{ $reason }
known-broker-lost = 无法与代理保持连接：{ $reason }
known-broker-silent = 代理在 { $seconds } 秒内没有应答
known-broker-refused = 代理拒绝登录，返回码 { $code }
known-broker-io = 读写错误：{ $reason }

# 操作系统和标准库
known-os-not-found = 文件或目录不存在，错误码 { $code }
known-os-permission-denied = 权限不足，错误码 { $code }
known-os-operation-not-permitted = 不允许此操作，错误码 { $code }
known-os-exists = 已有同名文件，错误码 { $code }
known-os-is-a-directory = 这是一个目录，错误码 { $code }
known-os-not-a-directory = 路径中有一段不是目录，错误码 { $code }
known-os-no-space = 磁盘空间不足，错误码 { $code }
known-os-read-only = 文件系统为只读，错误码 { $code }
known-os-input-output = 输入输出错误，错误码 { $code }
known-os-too-many-files = 打开的文件过多，错误码 { $code }
known-os-address-in-use = 地址已被占用，错误码 { $code }
known-os-address-not-here = 本机没有该地址，错误码 { $code }
known-gzip-wrong = 不是有效的 gzip 文件
known-gzip-corrupt = gzip 内容已损坏
known-file-cut-short = 文件不完整
known-address-wrong = 不是有效的“地址:端口”
known-digit-wrong = 含有非数字字符
known-number-empty = 应为数字，实际为空
known-number-large = 数字过大
known-log-filter-wrong = 无法识别日志级别；应为 off、error、warn、info、debug、trace 之一，或 0 至 5 的数字
known-log-directive-wrong = 过滤规则无效
known-account-wrong = 账户名应为 1 至 64 个字母、数字或 `_-.@:` 中的字符，实际为 { $name }
known-role-wrong = 角色应为 admin、inspector、grid_officer、volunteer、collector、auditor 或 resident，实际为 { $role }
known-right-wrong = 权限应为 see_site、see_households 之类的词，实际为 { $right }
known-day-wrong = 日期应写作 YYYY-MM-DD 且确实存在，如 2026-03-01；实际为 { $got }

# 规则文件（rules、toml）。
known-rule-constant-wrong = 规则常量 { $name } 应为 { $expected }，实际为 { $got }
known-rule-constant-unknown = 没有名为 `{ $name }` 的常量；可用的有 { $known }

# clap 对用法错误的说明
known-usage-error = 错误：{ $reason }
known-usage-tip = 提示：{ $tip }
known-usage = 用法：{ $usage }
known-usage-options = { $command } [选项]{ $more }
known-more-information = 详情请用 { $flag } 查看。
known-command-unknown = 没有名为“{ $command }”的命令
known-argument-unknown = 不支持参数“{ $argument }”
known-arguments-missing = 缺少以下必需的参数：
known-argument-repeated = 参数“{ $argument }”不能重复使用
known-value-refused = “{ $argument }”的值“{ $value }”无效：{ $reason }
known-value-missing = “{ $argument }”需要一个值，但未提供
known-value-unexpected = “{ $argument }”不接受值“{ $value }”
known-value-out-of-range = { $value } 不在 { $range } 范围内
known-similar-command = 有相近的命令“{ $command }”
known-similar-argument = 有相近的参数“{ $argument }”
known-pass-as-value = 若要将“{ $value }”作为值传入，请写作“{ $usage }”

# 帮助：clap 的固定文字
known-heading-usage = 用法：
known-heading-commands = 命令：
known-heading-arguments = 参数：
known-heading-options = 选项：
known-default = [默认值：{ $value }]
known-environment = [环境变量：{ $name }]

# 帮助：占位符
known-name-command = 命令
known-name-file = 文件
known-name-folder = 目录
known-name-level = 级别
known-name-address = 地址:端口
known-name-roles = 角色,...
known-name-target = 目标
known-name-date = 日期
known-name-token = 户号
known-name-account = 账户
known-name-days = 天数
known-name-seed = 种子
known-name-speed = 倍速
known-name-estate = 小区
known-name-station = 集置点
known-name-boot = 启动号
known-name-id = 设备编号
known-name-recipient = 接收者
known-name-name = 账户名
known-name-role = 角色
known-name-right = 权限,...
known-name-label = 用途
known-name-building = 楼号
known-name-url = 网址
known-name-unit = 单元
known-name-door = 门牌
known-name-residents = 人数
known-name-pool = 积分池
known-name-points = 积分
known-name-key = 名字
known-name-kind = 种类
known-name-member = 名字=值

# 帮助：命令
known-help-hemu = 居民生活垃圾分类的开放后端
known-help-demo = 在模拟小区上运行全部功能：先经 MQTT 写入 90 天历史，再持续运行
known-help-serve = 运行服务器
known-help-config = 输出配置文件，其中逐项说明所有配置项
known-help-migrate = 将数据目录中的文件升级到本版本
known-help-device = 管理设备：添加、核实、下发命令、查看命令、列出、吊销、更换密钥
known-help-device-add = 登记一台设备，以一行 JSON 输出其编号和密钥；密钥仅显示这一次
known-help-device-checked = 记录某人已核实一台在同一编号下发送过两种内容的设备：它以该启动号发送的记录重新计分，以先到者为准
known-help-device-command = 向设备下发一条命令；命令一直保留，设备每次连接都会再收到，直到它确认收到
known-help-command-kind = 要设备做什么：为收运开锁（collect）、拒收（refuse）、更改设置（config）或显示文字（message）
known-help-command-members = 命令的一个成员，例如 text=full 或 seconds=60；值若是 JSON 则按 JSON 发送。可多次给出
known-help-device-commands = 列出一台设备最近的命令，以及它是否已收到
known-help-device-list = 列出已登记的设备
known-help-device-revoke = 吊销设备的登录权限，其连接在五秒内断开；它已发送的数据予以保留
known-help-device-rotate = 为设备更换密钥；旧密钥随即失效，用它建立的连接在五秒内断开
known-help-household = 管理居民户：导入、换住户、登录码、代表的账户及其结束、更正、导出、删除
known-help-household-code = 打印住户的登录码，三十天内可供一人登录一次
known-help-code-token = 居民户的户号；若要打印整栋楼的登录码，则改为指定楼号
known-help-code-delegate = 代该住户办理的他人账户，用于家中没有手机的住户
known-help-code-estate = 该楼所在的小区
known-help-code-building = 该楼的所有住户
known-help-code-csv = 登录码的输出文件，供打印；`-` 表示标准输出
known-help-code-url = 人们访问本站点的网址（默认为监听地址）
known-help-user = 管理账户：添加、列出、停用、启用、密码、角色、第二重验证、登录码
known-help-user-add = 添加账户；密码从标准输入读取
known-help-user-name-new = 字母、数字和 `_-.@:`，最多 64 个字符；不要用居民姓名
known-help-user-role-word = `admin`、`inspector`、`grid_officer`、`volunteer`、`collector` 或 `auditor`
known-help-user-add-code = 不读取密码，改为打印一个码，一天内可供本人设置密码一次
known-help-user-list = 列出账户
known-help-user-disable = 停用账户；它已办理的事项保留
known-help-user-enable = 重新启用账户
known-help-user-password = 更换账户的密码，从标准输入读取；已登录者须重新登录
known-help-user-role = 更改账户的角色
known-help-user-totp = 为账户添加第二重验证，用手机扫描
known-help-user-totp-remove = 改为取消第二重验证
known-help-user-code = 打印一个码，一天内可供账户自行设置密码一次
known-help-user-name = 账户
known-help-token = 管理程序令牌：添加、列出、吊销
known-help-token-add = 允许程序以某账户的身份行事；以一行 JSON 输出令牌，仅显示这一次
known-help-token-scopes = 令牌的权限，须为该账户已有的权限，例如 `see_site,see_lists`；大屏只用 `see_screen`
known-help-token-label = 用途
known-help-token-days = 有效天数
known-help-token-list = 列出令牌（不含令牌本身）
known-help-token-revoke = 吊销令牌
known-help-token-id = `hemu token list` 列出的编号
known-help-household-import = 从 CSV 文件登记居民户，列为 household,estate,building,unit,door,residents,station（仅 household 必填）；已登记的居民户将更新位置
known-help-household-moved = 记录换了新住户：此前及当天的投放都不计入新住户
known-help-household-token = 居民户的户号
known-help-household-day = 新住户开始的本地日，例如 2026-03-02
known-help-household-undo = 记录有误：那一天并未换住户
known-help-household-people = 列出代表该户的账户：本户的和代办人的
known-help-household-revoke = 结束一个账户代表该户，立即生效；账户本身和其他住户不受影响
known-help-household-revoked = 账户，以 `hemu household people` 列出的为准
known-help-household-export = 将某户的全部信息以 JSON 写出，交给该户
known-help-audit = 操作记录，新的在前：谁做了什么、为什么，以及谁查看过某户
known-help-audit-household = 只列出与该户有关的
known-help-audit-actor = 只列出该账户所做的
known-help-audit-kind = 只列出某一类操作，例如 `correct`
known-help-audit-from = 自该本地日起，例如 2026-03-01
known-help-audit-to = 至该本地日结束
known-help-audit-csv = 以 CSV 写出的位置；`-` 表示标准输出
known-name-word = 词
known-help-privacy = 以 Markdown 打印本系统保存哪些个人信息、为何保存、保存多久、谁能看到
known-help-household-correct = 更正居民户的住址信息；未给出的项保持不变
known-help-household-erase = 删除一户：删除其密钥、住址和有关它的文字；此操作无法撤销
known-help-household-reason = 写有理由的文件，`-` 表示标准输入；理由会保留，因此不得写明住户是谁
known-help-household-building = 正确的楼栋
known-help-household-unit = 正确的单元
known-help-household-door = 正确的门牌
known-help-household-residents = 居住人数
known-help-bank = 服务分钟与积分：fund、release、pools、export
known-help-bank-fund = 向积分池注入积分，供工作人员发放；尚不存在的积分池由此建立
known-help-bank-release = 从积分池收回积分
known-help-bank-pools = 列出积分池：现有、累计注入、累计发放
known-help-bank-export = 按先后写出两种账户的每一笔
known-help-bank-csv = 要写入的文件，`-` 为标准输出
known-help-bank-pool = 积分池：1 至 32 个小写字母、数字或 `-`
known-help-bank-points = 积分，整数
known-help-bank-reason = 写有理由的文件，`-` 为标准输入
known-help-bank-key = 这一次操作的名字，8 至 64 个字母、数字、`_` 或 `-`：以同一名字再次执行不会重复入账（默认随机取名）
known-help-import = 从 CSV 文件导入投放记录，各列为 `reading_id,bag_id,household,estate,at,stream,weight_g,source,device,quality,confidence`，次序不限。被拒收的行以及与已存内容矛盾的行，连同行号和原因写入 FILE.rejected.csv；上一次运行留下的该文件会先被删除
known-help-export = 按流水账本的次序写出所有已接受的投放记录
known-help-lists = 计算各期红黑榜，不发布任何内容
known-help-lists-from = 第一期的日期：依据该日之前的投放记录，例如 2026-03-02
known-help-lists-to = 不计算此日之后的各期
known-help-lists-every = 相邻两期间隔的天数
known-help-rules = 榜单所依据的规则：查看、试用另一份、重新估计常量、采用新规则；不发布任何内容
known-help-rules-show = 打印现行规则及每个常量的说明；修改后的副本可供 `dry-run` 试算
known-help-rules-dry-run = 按现行规则和另一规则分别计算各期榜单，并说明哪些住户会变动
known-help-rules-estimate = 由读数估计规则对“天”和“漂移”的假设
known-help-rules-propose = 提议自某日起的各期采用一份规则；经另一人确认后生效
known-help-rules-confirm = 确认由另一人提议的规则
known-help-rules-shadow = 自某日起让一份规则在正式各期之外影子运行；不发布任何内容
known-help-rules-end-shadow = 结束影子运行的规则；已算出的各期仍可查看
known-help-rules-list = 列出提议过、采用过和影子运行的规则，及其起始日和经办人
known-help-rules-new-file = 新规则的文件，须含全部常量，格式同 `hemu rules show`，并有自己的版本号
known-help-rules-from = 自哪一天的那一期起采用，例如 2026-03-02
known-help-rules-id = 它在 `hemu rules list` 中的编号
known-help-account = 对此负责的账户
known-help-rules-file = 另一规则的文件，须含全部常量，格式同 `hemu rules show`
known-help-rules-truth = 模拟住户的真实情况，用于给两种规则打分，列为 `household,archetype,edition_day,theta28`
known-help-rules-day-zero = `edition_day` 从哪一天起算（默认为首次投放之日）
known-help-rules-csv = 写入变动的住户及相关条件的文件；`-` 表示标准输出
known-help-rules-first-day = 证据的第一个本地日，例如 2026-03-01
known-help-rules-last-day = 证据的最后一个本地日；至多 90 天
known-help-edition = 红黑榜：列出、查看、重新计算
known-help-edition-list = 列出现有的榜单，新的在前
known-help-edition-show = 查看一份榜单：进展、依据和结果
known-help-edition-recompute = 依据日志逐位重新计算一份榜单，并与存储的比较；不同则以 1 退出
known-help-edition-id = 榜单的编号，见 `hemu edition list`
known-help-verify = 检查流水账本的哈希链，并核对投影；如不一致，指出第一处有误的行，退出码为 1
known-help-copy = 将站点复制到空的 PostgreSQL，或从 PostgreSQL 复制到空的数据文件夹：流水账本、登记信息和人工决定。原数据不动。请先停止服务器
known-help-rebuild = 清除投影和图表，并根据流水账本重新汇总
known-help-backup = 将一切无法重新计算的数据备份到一个文件；服务可同时运行
known-help-backup-file = 要写入的文件；若已存在，新文件完整后才替换它
known-help-backup-recipient = 为该密钥的持有者加密，写法与 age 相同（age1...）；可多次指定
known-help-backup-passphrase = 用该文件第一行的口令加密
known-help-backup-new-key = 改为生成密钥：写入该文件（请另行保管），并输出其接收者
known-help-series = series_url 所指的图表数据库：补写
known-help-series-backfill = 将全部内容重新发送到图表数据库，用于数据库被清空或恢复之后；中断后再次运行会接着进行，其间服务可照常运行
known-help-restore = 用备份替换数据目录；设备随后会重新发送其仍保存的记录
known-help-restore-file = 备份文件
known-help-restore-keep-lists = 名单全部保持备份中的状态：备份之后没有人办理过任何事项或提出过异议
known-help-restore-replace = 将数据目录中原有内容移到其中的 replaced-时间 目录，而不是拒绝
known-help-restore-identity = 备份加密所用密钥的文件
known-help-restore-passphrase = 第一行为口令的文件
known-help-ready = 询问正在运行的服务能否工作；不能则退出码为 1
known-help-doctor = 检查可能出问题的地方：目录、文件、时钟、监听端口
known-help-help = 显示本说明，或指定命令的说明

# 帮助：参数
known-help-config-file = 配置文件；可用 `hemu config` 输出一份，其中逐项说明所有配置项
known-help-data = 数据目录（默认为 ./hemu-data，或 `HEMU_DATA` 所指目录）
known-help-log = 输出到标准错误的日志级别：error、warn、info、debug，或 tracing 格式的过滤规则
known-help-flag = 显示帮助
known-help-version = 显示版本
known-help-roles = 多个节点共用一个 PostgreSQL 时，本节点承担的工作：endpoint、ingest、projector、api、jobs（默认：全部）
known-help-copy-target = postgres://用户@主机:5432/数据库（密码请放在 passfile 中），或一个文件夹
known-help-mqtt-listen = 设备接入，支持 MQTT 3.1.1 和 5
known-help-http-listen = 看板和 API，不加密
known-help-metrics-listen = Prometheus 指标
known-help-days = 历史天数
known-help-seed = 模拟小区的随机种子：种子相同，小区及其生活就相同
known-help-speed = 历史写入完毕后，每秒模拟多少秒
known-help-history-only = 历史写入完毕即停止，不再持续运行
known-help-device-id-new = 字母、数字、`_` 和 `-`，最多 64 个字符
known-help-device-id = 设备编号
known-help-device-boot = 启动号，见 `hemu doctor` 的提示
known-help-device-estate = 设备所在的小区
known-help-device-station = 设备所属的集置点
known-help-device-mosquitto = 同步更新 Mosquitto 的密码文件；代理收到 SIGHUP 后重新读取
known-help-household-file = 文件；`-` 表示标准输入
known-help-import-file = 文件；`-` 表示标准输入；`.gz` 文件会自动解压
known-help-strict = 遇到未登记的居民户、设备或小区时拒收该行，而不是自动登记
known-help-csv = 写入的文件；`-` 表示标准输出
known-help-from = 起始日（投放当日，本地日期），如 2026-03-01
known-help-to = 截止日（本地日期，含当日）
