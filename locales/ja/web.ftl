# 画面の日本語。英語の訳ではなく、意味から書いたもの。キーが英語と同じであることは web/ のテストが見ている。
# <b> は強調、それ以外のタグはリンク。

## 共通
nav-label = ページ
nav-home = ホーム
nav-explorer = 調べる
nav-errors = エラー
nav-traces = トレース
nav-metrics = メトリクス
nav-logs = ログ
nav-sources = 収集元
nav-settings = 設定
nav-more = ほか
skip = 本文へ
search-label = 記録を検索
search-hint = 記録を検索  /
service-label = サービス
all-services = すべてのサービス
language-label = 言語
copy = コピー
copied = コピーしました
copy-failed = コピーできません
copy-link = リンクをコピー
copy-csv = CSV でコピー
copy-markdown = Markdown でコピー
copy-json = JSON でコピー
close = 閉じる
cancel = キャンセル
apply = 適用
retry = もう一度
reload = 再読み込み
refresh = 更新
loading = 読み込み中
footer = Koshu { $version }（{ $host }）
never = まだない
actions = 操作
demo-word = デモ
no-data = この期間のデータはありません
last-value = 最新
time = 時刻
table = 表
log-scale = 対数目盛

## 期間
range-label = 期間
range-type = 表示する期間
range-example = 15m、昨日、先週の火曜日
range-help = 15m、24h、7d、15分、昨日、先週の火曜日、11/1〜11/2、9:00〜10:30 のように書けます
range-wrong = 読み取れませんでした。15m、7d、先週の火曜日、11/1〜11/2 のように書いてください
range-zone = 時刻は { $zone } で表示しています。「設定」で変えられます。
range-today = 今日
range-yesterday = 昨日
range-last-week = 先週
range-last-days = 直近 { $n } 日間
range-last-hours = 直近 { $n } 時間
range-last-minutes = 直近 { $n } 分
range-last-seconds = 直近 { $n } 秒

## うまくいかないとき
failed-title = 読み込めませんでした。
failed-since = { $at } から失敗しています。
stale-title = { $at } から更新できていません。
problem-unreachable = Koshu のサーバーから応答がありません。起動しているか確かめてください。
problem-unexpected = サーバーから想定外の応答がありました（{ $detail }）。画面が古いかもしれません。再読み込みしてください。
problem-busy = サーバーが混み合っています：{ $detail }
problem-too-fast = 試行回数が多すぎます。{ $seconds } 秒待ってからやり直してください。
problem-status = サーバーに断られました：{ $status } { $title }
page-not-loaded = このページを読み込めませんでした。サーバーが更新されたのかもしれません。
chart-not-loaded = グラフを読み込めませんでした。同じ数値は表で見られます。
server-away = Koshu につながりません
not-found-title = そのページはありません
not-found-home = ホームへ
partial = 一部だけの結果です：{ $why }

## キーボード
help-open = キー操作
help-title = キー操作
help-words = 文字の入力中や変換中は働きません。
key-search = 検索・絞り込みへ
key-home = 「ホーム」へ
key-errors = 「エラー」へ
key-traces = 「トレース」へ
key-metrics = 「メトリクス」へ
key-logs = 「ログ」へ
key-explorer = 「調べる」へ
key-sources = 「収集元」へ
key-settings = 「設定」へ
key-rows = 次の行、前の行
key-open = 行を開く
key-view = 記録の表示を切り替え（1 行、折り返し、JSON）
key-run = SQL を実行
key-help = この一覧

## デモ
demo-label = デモ
demo-strip = <b>これはデモです。</b>ショップ「{ $service }」とその客は、このマシンの中で動く架空のものです。
demo-remove = デモを消す
demo-ask-title = デモを消しますか
demo-ask = 架空のショップを止め、「{ $service }」の記録をすべて消します。元には戻せません。ほかのサービスには影響しません。
demo-ask-yes = 消す

## 最初のページ
home-title = ホーム
home-right = 利用者は問題なく使えているか
home-right-answer = { $range }：{ $requests } 件のうち <b>{ $good }</b> にエラーなく応答しました。失敗は <b>{ $errors }</b> 件です（{ $interval }）。
home-right-none = { $range }：リクエストが届いていないので、何とも言えません。
home-quiet = この期間にリクエストのないサービスが { $n } 個あります
home-quiet-seen = 最終受信は { $ago }
home-quiet-never = まだ何も届いていません
home-empty-title = まだどのサービスからもデータが届いていません。
home-empty = このホストのアクセスログは自動で探しています。<sources>見つかったもの</sources>を確かめるか、次のコマンドでログを取り込んでください。
home-who = 誰が何にがっかりしたか
home-who-answer = { $range }：<b>{ $users } 人</b>がエラーに遭いました。うち { $recovered } 人はやり直して成功し、<b>{ $still } 人は失敗したまま</b>です。
home-who-worst = いちばん多いのは { $service } の <route>{ $route }</route> で { $users } 人です。
home-who-nobody = { $range }：エラーに遭った人はいません。
home-who-least = { $range }：<b>少なくとも { $users } 人</b>がエラーに遭いました。{ $still ->
    [0] 全員がやり直して成功しています。
   *[other] うち<b>少なくとも { $still } 人は失敗したまま</b>です。
}
people-not-added = 同じ人が複数のサービスで数えられていることがあるので、サービスをまたいで合計していません。
people-not-counted = { $range }：<b>数えられません。</b>失敗した { $n } 件のリクエストに利用者の手がかりがなく、何人がエラーに遭ったかはわかりません。<sources>アドレスとブラウザ、またはセッションをログに残す</sources>と数えられます。
people-unknown = ほかに、誰のものかわからない失敗が { $n } 件あり、人数には含まれていません。
not-counted = 数えられません
home-where = みんなの時間は何に使われているか
home-where-answer = { $range }：<route>{ $route }</route> だけで、利用者が待った時間の <b>{ $share }</b>（合計 { $total }）を占めます。95 % の応答は { $p95 } 以内です。
home-full = いっぱいになりそうなものは何か
home-full-answer = <b>{ $thing }</b>が { $used } 埋まっています。
home-full-days = { $thing }は<b>{ $days ->
    [0] 1 日以内に
   *[other] あと { $days } 日ほどで
}</b>いっぱいになります。
home-full-nothing = ありません。いちばん埋まっているのは{ $thing }で、{ $used } です。
home-full-unknown = わかりません。使用量を知らせてきたホストがありません。
home-changed = 何が変わったか
near-thing = { $host } の{ $kind }
near-thing-named = { $host } の{ $kind }（{ $name }）
good-share = 成功
good-over-time = 成功した割合の推移
spark-lowest = 成功した割合の推移、最低 { $value }
failed-count = 失敗
failed-interval = 失敗率の 95 % 区間
error-interval = エラー率の 95 % 区間
traffic-per-s = リクエスト/秒
last-seen = 最終受信
p95 = p95
p95-before = p95 の前週比
p95-before-ms = 前週の p95 (ms)
total-before = 合計の前週比
nothing-before = 前週なし
before-note = 「前週」は、1 週間前の同じ時間帯です。
most-by = おもな原因
route-people = { $route }（{ $users } 人）
used = 使用率
full-in = 満杯まで
what = 対象
detail = 詳細
days = { $n ->
    [0] 1 日未満
   *[other] { $n } 日
}
damage-title = 壊れたデータがあります。
damage-row = { $file } の { $range }：{ $reason }（{ $since } から）。それ以外は使えます。

## 表の言葉
service = サービス
route = ルート
requests = リクエスト数
errors = エラー
error-ratio = エラー率
disappointed = がっかりした人
people = 人数
recovered = やり直して成功
still-disappointed = 失敗したまま
total-time = 合計時間
share = 割合
mean = 平均
duration = 所要時間
status = ステータス
path = リクエスト
user = 利用者
trace = トレース
host = ホスト
day = 日
change = 変更
reason = 理由
sample = 例
size = サイズ
format = 形式
lines = 行数
state = 状態
source = 収集元
kind-disk = ディスク
kind-memory = メモリ
kind-cpu = CPU
kind-network = ネットワーク
kind-journal = ジャーナル
kind-lake = データレイク
pressure-cpu = CPU 待ち
pressure-memory = メモリ待ち
pressure-io = ディスク待ち

## サービスとルート
service-how = { $service } は利用者にとってどうか
service-which = どのリクエストが利用者の時間を使っているか
service-empty = { $range }：{ $service } へのリクエストはありません。
service-empty-how = <day>直近 7 日間</day>を見るか、<sources>何が届いているか</sources>を確かめるか、次のようにログを送ってください。
signal-sentence = { $range }：リクエスト <b>{ $requests }</b> 件のうち <failed>{ $errors }</failed> 件が失敗し、エラー率は <b>{ $ratio }</b> です（95 % 区間 { $interval }）。
signal-speed = 応答は半数が { $p50 } 以内、95 % が <b>{ $p95 }</b> 以内、99 % が { $p99 } 以内です。
signal-timed = 応答時間がわかるのは { $requests } 件中 { $timed } 件です。
no-durations = ログに応答時間がないので、速さはわかりません。<sources>nginx の設定を 2 行足す</sources>と測れます。
no-durations-short = ログに応答時間がありません
no-requests = この期間のリクエストはありません。
signal-latency = レイテンシ
signal-traffic = トラフィック
signal-errors = エラー
signal-saturation = サチュレーション
signal-saturation-of = { $host } のサチュレーション
saturation-none = この期間に負荷を知らせてきたホストはありません
unit-requests-s = リクエスト/秒
unit-people-hour = 人/時
unit-requests-cell = 1 マスあたりの件数
unit-records = 件
same-weekday-before = 前の同じ曜日
compare-label = 前の同じ曜日と比べる
compare-nothing = 前の同じ曜日の記録は保存されていません。
drag-hint = グラフをドラッグすると期間を選べます。
sketch-error = パーセンタイルの誤差は ±{ $error } 以内です。
error-note = { $requests } 件中 { $errors } 件が失敗。95 % 区間は { $interval } です。
chart-summary = { $title }：{ $name } は最新 { $last }、最小 { $lowest }、最大 { $highest }。
bars-summary = { $title }：棒 { $bars } 本、最大 { $highest }。
requests-answer = { $routes } 件のルートで、利用者は合計 { $total }待ちました。<route>{ $route }</route> だけでその { $share } です。
requests-untimed = ルートは { $routes } 件あります。ログに応答時間がないので時間順には並べられません。<sources>応答時間を加える</sources>
routes-over-limit = ルートが { $limit } を超えています。まれなものは (other) にまとめて数えています。設定ファイルのパターンでまとめられます。
find-route = ルートを探す
sort-by = 並べ替え
rows-shown = { $all } 件のルートのうち { $shown } 件。
bar-of = 棒：{ $measure }
disappointed-by-hour = がっかりした人
disappointed-by-hour-least = がっかりした人（少なくとも）
identity-cookie = 利用者は { $identity } で見分け、鍵付きハッシュで保存しています。
identity-header = 利用者は { $identity } で見分け、鍵付きハッシュで保存しています。
identity-field = 利用者は { $identity } で見分け、鍵付きハッシュで保存しています。
identity-hash = 利用者はアドレスとブラウザから推定しています（鍵付きハッシュ）。同じアドレスの人はまとめて 1 人と数えることがあります。設定ファイルでセッション Cookie を指定すると正確になります。
recovered-means = 「やり直して成功」は、同じ人が同じルートを { $minutes } 分以内に試し直してうまくいったことを指します。
changes-answer = 変更は { $n } 件、うちデプロイは { $deploys } 件です。
changes-more = これより前の変更 { $n } 件は一覧にありません。期間を短くすると見られます。
changes-none = この期間に記録された変更はありません。
changes-none-how = デプロイのスクリプトから知らせると、すべてのグラフに印が付きます。
change-deploy = デプロイ
change-config = 設定
change-service = サービス
change-damage = 破損
change-limit = 上限
change-image = イメージ
change-schema = スキーマ
change-flag = フラグ
route-how = { $route }
route-empty = { $range }：{ $route } へのリクエストはありません。
route-empty-how = <week>直近 7 日間</week>を見るか、<service>サービス全体</service>を確かめてください。
route-slowest = 遅かった 20 件
route-failed = 最近失敗した 20 件
route-no-slow = 応答時間がわかるリクエストはありません。
route-no-failed = この期間に失敗はありません。
route-people-title = 誰をがっかりさせたか
route-people-of = { $range }：利用者およそ { $of } 人のうち、エラーに遭ったのは <failed>{ $users } 人</failed>、<b>{ $share }</b> です（95 % 区間 { $interval }）。
route-people-some = { $range }：ここでエラーに遭ったのは <failed>{ $users } 人</failed>です。全部で何人が使ったかはわかりません。
route-people-retry = うち { $recovered } 人はやり直して成功し、<b>{ $still } 人は失敗したまま</b>です。
route-people-days = 同じ人が複数の日に数えられていることがあるので、合計していません。
route-people-unknown = サービス全体では、ほかに誰のものかわからない失敗が { $n } 件あります。このルートの分も、人数には含まれていません。
compare-title = 変更の前と後で何が違うか
compare-around = 比べる変更
compare-choice = { $at } { $kind }：{ $title }
compare-answer = { $title }（{ $at }）の後、{ $failed ->
    [more] <b>失敗が増えました</b>
    [less] <b>失敗が減りました</b>
    [same] 失敗が増減したとは言い切れません
   *[unknown] 失敗は比べられません
}。{ $slow ->
    [more] <b>応答は遅くなりました</b>（p95）
    [less] <b>応答は速くなりました</b>（p95）
    [same] 応答の速さ（p95）が変わったとは言い切れません
   *[unknown] 応答の速さ（p95）は、件数が足りず比べられません
}。
compare-before = 変更前
compare-after = 変更後
compare-difference = 差
compare-more-fail = 失敗が増えた
compare-fewer-fail = 失敗が減った
compare-slower = 遅くなった
compare-slower-by = { $times } 倍以上遅くなった
compare-faster = 速くなった
compare-faster-by = { $times } 倍以上速くなった
compare-same = 差があるとは言い切れない
compare-unknown = 片方にリクエストがない
compare-too-few = 件数が足りない
compare-stretches = 変更の前と後の { $length }ずつを比べています（変更した 1 分間は除く）。
compare-see = グラフで見る
compare-note = 各値の下は 95 % 区間です。時間の区間は、ヒートマップの刻みの幅になります。前と後では時間帯が違うので、差が変更によるものとは限りません。
compare-none = この { $days } 日間に記録された変更はありません。
compare-none-how = デプロイのスクリプトから知らせると、良くなったか悪くなったかがここに出ます。
compare-fresh = { $title } は始まったばかりです。
compare-fresh-how = まる 1 分たつと、ここに最初の比較が出ます。
see-records = 記録を見る
heat-title = 応答にかかった時間
heat-hint = 1 マス最大 { $most } 件。濃いほど多い。マスを押すと記録が見られます。
heat-spot = { $at }、{ $band }：{ $n } 件
heat-summary = 時刻と応答時間のヒートマップ。1 マス最大 { $most } 件。数値は表で見られます。
band = { $low } から { $high }
band-above = { $low } 超

## 調べる
explorer-title = 何が起きたのか
explorer-view = 表示
tab-records = 記録
tab-sql = SQL
filter-label = 絞り込み
filter-apply = 絞り込む
filter-clear = クリア
filter-options = 候補
filter-help = 単語はパスから探します。使える項目は status、route、method、path、duration、user、service、host、source、bytes、trace です。OR、NOT、かっこで組み合わせられます。
filter-add = 絞り込み：{ $term }
filter-out = この { $field } を除く
histogram-title = 記録の推移
histogram-total = { $n } 件
status-ok = 1xx–3xx
status-client = 4xx
status-server = 5xx
facets-title = 絞り込みの手がかり
facets-of = 条件に当てはまるすべての記録を数えています（{ $range }）
facets-none = この項目を持つ記録はありません。
facets-more = もっと見る
facets-out = { $value } を除く
lines-label = 行の表示方法
lines-compact = 1 行
lines-wrap = 折り返し
lines-json = JSON
records-label = 記録（新しい順）
records-none = { $range }：当てはまる記録はありません。
records-none-filter = 条件を減らすか、期間を長くしてください。
records-none-sources = <week>直近 7 日間</week>を見るか、<sources>何が届いているか</sources>を確かめてください。
records-all = { $n } 件すべてを表示しています。
records-some = 新しい { $n } 件です。下へたどると古い記録を読み込みます。
record-title = 記録
record-service = このサービス
record-route = このルート
tail-start = ライブ表示
tail-stop = ライブ表示を終える
tail-pause = 一時停止
tail-resume = 再開（待ち { $n } 件）
tail-open = ライブ表示中。{ $n ->
    [0] まだ何も届いていません。
   *[other] 新しい { $n } 件です。
}
tail-lost = 接続が切れました。つなぎ直しています。
tail-refused = サーバーがライブ表示を始められません。絞り込みの条件を確かめてください。15 秒ごとに試し直しています。
tail-connecting = 接続しています。
tail-gap-none = { $at } から、取りこぼしはありません。
tail-gap-lost = 接続が切れたため、{ $from } から { $to } までの記録が一部抜けているかもしれません。<search>この時間を検索</search>
tail-gap-left-out = 届いた数が多く、送りきれませんでした。{ $from } から { $to } までの記録が一部抜けているかもしれません。<search>この時間を検索</search>
tail-gap-not-kept = 一時停止中に待つ数が多くなり、{ $from } から { $to } までの記録 { $n } 件は残していません。<search>この時間を検索</search>
tail-gaps-before = その前の抜け { $n } か所
tail-empty = 次の記録を待っています。
tail-empty-how = 届いた記録から順にここに現れます。何も出てこないときは、条件を減らすか、「収集元」で何が届いているか確かめてください。
sql-label = SQL
sql-run = 実行
sql-running = 実行しています。
sql-range = 対象は{ $range }。最大 { $limit } 行、30 秒まで、読み取りのみ。
sql-failed = 実行できませんでした。
sql-answer = { $rows } 行、{ $took }。
sql-scanned = 読んだのは { $rows } 行、{ $bytes }。
sql-truncated = 続きがあります。表示は先頭の { $n } 行だけです。LIMIT か集計を加えてください。
sql-damaged = 壊れているため除きました：{ $file }
sql-tables = テーブルと列
sql-result = 結果

## 収集元
sources-arrives = 何がどこから届いているか
sources-answer = { $sources } か所から { $lines } 行が届き、<b>{ $rejected ->
    [0] 読み取れなかった行はありません
   *[other] { $rejected } 行は読み取れませんでした
}</b>。
sources-none = まだ何も届いていません。
sources-none-how = 下のファイルを選ぶか、次のように送ってください。
sources-all = すべて
sources-trouble = 問題あり
sources-find = 収集元を探す
sources-none-shown = ここに当てはまる収集元はありません。検索する言葉を減らすか、すべてを表示してください。
sources-since = Koshu が起動した { $at } から数えています。
service-unnamed = サービスの記載なし
skew-ahead = 時計が { $by }進んでいます
skew-behind = 時計が { $by }遅れているか、送信が遅れています
skew-zone-ahead = 時刻が { $by }先です。タイムゾーンのない現地時刻かもしれません
skew-zone-behind = 時刻が { $by }前です。タイムゾーンのない現地時刻か、送信の遅れかもしれません
skew-how-ahead = 直近 10 分で最も新しい記録の時刻が、届いた時刻より { $by }先でした。
skew-how-behind = 直近 10 分で最も新しい記録の時刻が、届いた時刻より { $by }前でした。送り手が記録をためている場合も同じように見えます。
skew-note = 時計のずれは、直近 10 分で最も新しい記録の時刻と、それが届いた時刻を比べて判断しています。
limits-title = どの上限に達したか
limits-more = ほかに { $n } 件あります。
limit-routes = <b>{ $service }</b> のルートは { $limit } を超えました。{ $since } から、まれなルートへのリクエスト { $n } 件を (other) として数えています。設定ファイルのパターンでルートをまとめられます。
limit-series = <b>{ $service }</b> の系列は { $limit } 本を超えました。{ $since } から、新しい系列の測定値 { $n } 件を受け取っていません。多くの場合、ID の入ったラベルが原因です。
limit-series-of-all = 全サービスの系列は合わせて { $limit } 本に達しました。{ $since } から、<b>{ $service }</b> の新しい系列の測定値 { $n } 件を受け取っていません。
limit-fields = <b>{ $source }</b> の記録には { $limit } を超える項目があります。{ $since } から、{ $n } 件の記録で残りの項目を捨てました。
limit-services = サービスは { $limit } 個に達し、これ以上は増やせません。{ $since } から、新しい名前の記録は「other」に入れています。
limit-sources = 収集元は { $limit } を超えました。{ $since } から、残りを (other) としてまとめて数えています。
hosts-title = ほかのホストは動いているか
hosts-answer = <b>{ $n } 台</b>のホストにエージェントがあり、{ $away ->
    [0] すべて応答しています
   *[other] <b>{ $away } 台</b>から応答がありません
}。
hosts-own = Koshu 自身が動いている { $host } はここに出ません。エージェントを足さなくても koshu up が観測します。
hosts-find = ホストを探す
hosts-none-shown = その名前のホストはありません。
hosts-shown = { $all } 台のうち、応答のないものから { $shown } 台を表示しています。
hosts-more = ホストを追加する
hosts-service = エージェントをサービスとして動かす
hosts-none = ほかのホストにエージェントはまだありません。
hosts-none-how = エージェントは、ホストの余裕を測り、アクセスログを追跡し、そこから外形監視を実行し、ホストが動いていることを伝えます。応答が途絶えたら、Koshu とほかのエージェントが、ホストが止まったのか、エージェントだけか、間のネットワークかを調べます。接続はエージェントからこのサーバーへ行い、どこでも待ち受けません。
hosts-step-token = サーバーで、ホスト 1 台分のトークンを作る
hosts-step-token-how = トークンはホストごとに 1 つずつ必要です。「web-1」はトークンの名前で、自由に決められます。
hosts-step-run = ホストで、そのファイルを使ってエージェントを起動する
hosts-needs-tls = http:// のアドレスを使えるのは、サーバーと同じマシンのエージェントだけです。ほかのホストからでは、途中でトークンが見えてしまいます。https:// のアドレス（手前に置いた TLS のプロキシ）で Koshu を開くと、そのアドレスが入ります。
host-since = いつから
host-heard = 最後の応答
host-checks = 外形監視
host-files = ログファイル
host-files-broken = 未追跡
host-reached = 届いた相手
host-version = エージェント
host-alive = 稼働中
host-gone = ホスト停止
host-agent-gone = エージェント停止
host-network-cut = ネットワーク切断
host-server-isolated = サーバー孤立
host-unknown = 不明
host-clock-ahead = 時計が { $by }進んでいます（時刻は補正済み）
host-clock-behind = 時計が { $by }遅れています（時刻は補正済み）
host-files-problem = ログファイル { $n } 個を追跡できていません
host-files-of = ログファイル { $n } 個
host-file = ファイル
host-file-problem = 問題
host-file-followed = なし
host-reached-nobody = まだなし
host-reached-more = { $names } ほか { $n } 台
host-reached-note = 動いている間に一度も届いた相手がいないホストは、応答が途絶えても、ホストが止まったのかエージェントだけなのかを判断できません。ふだんはホストの 22 番ポートを試します。別のアドレスは、エージェントの設定ファイルの reach: に書けます。
host-why = そう判断した理由
host-forget = 一覧から外す
host-forget-title = このホストを一覧から外しますか
host-forget-ask = 「{ $name }」は一覧から消え、応答のないホストを見るルールの対象からも外れます。送られてきた記録は残ります。
host-forget-back = エージェントがまだ動いていれば、次の報告が届いたときに一覧へ戻ります。戻したくないときは、エージェントを止めるか、トークンを無効にしてください。
host-forget-alive = エージェントはいま動いているので、10 秒ほどで一覧へ戻ります。先にエージェントを止めるか、トークンを無効にしてください。
because-heard = エージェントから { $length }前に報告がありました。
because-silent = エージェントから { $length }の間、何も届いていません。
because-never = エージェントからは一度も届いていません。
because-tcp = { $outcome ->
    [answered] サーバーからホストへ TCP で接続できました。
    [refused] サーバーからの TCP 接続をホストが拒否しました。何かが動いています。
    [timed_out] サーバーから TCP で接続しましたが、応答がありません。エージェントが応答していた間は届いていました。
    [unreachable] サーバーから TCP で届く経路がありません。エージェントが応答していた間は届いていました。
   *[other] サーバーからの TCP では何も言えません。試せなかったか、以前から届いていません。
}
because-icmp = { $outcome ->
    [answered] サーバーからの ping にホストが答えました。
    [refused] サーバーからの ping をホストが拒否しました。何かが動いています。
    [timed_out] サーバーからの ping に応答がありません。エージェントが応答していた間は届いていました。
    [unreachable] サーバーからの ping が届く経路がありません。エージェントが応答していた間は届いていました。
   *[other] サーバーからの ping では何も言えません。試せなかったか、以前から答えがありません。
}
because-peer = { $outcome ->
    [answered] { $host } からはホストに届きました。
    [refused] { $host } からの接続をホストが拒否しました。何かが動いています。
    [timed_out] { $host } から試しましたが、応答がありません。エージェントが応答していた間は届いていました。
    [unreachable] { $host } から届く経路がありません。エージェントが応答していた間は届いていました。
   *[other] { $host } からの結果では何も言えません。試せなかったか、以前から届いていません。
}
because-server-network = サーバーが自分のネットワークに届きません。
because-all-silent = ほかのエージェント { $n } 台も、すべて応答しなくなりました。
because-no-witness = ホストの様子を言えるエージェントがほかになく、サーバーから届かないだけでは停止と判断できません。
because-not-looked = サーバーから試した結果では、ホストについて何も言えません。
because-early = Koshu は起動したばかりで、まだエージェントの報告を受けていません。
serving-title = { $service } を動かしているホストはどれか、応答しているか
serving-answer = <b>{ $n } 台</b>のホストで動いており、{ $away ->
    [0] すべて応答しています
   *[other] <b>{ $away } 台</b>から応答がありません
}。
serving-own = Koshu 自身が動いている { $host } で、このサービスのログを { $n } 個読んでいます。
serving-placeless = どのホストで動いているかを伝えない収集元が { $n } か所あります。<sources>何が届いているか</sources>
serving-means = ここに出るのは、エージェントがこのサービスのログを追跡しているホストです。<agent>ホストを追加する</agent>
serving-none = { $service } を動かしているホストはわかりません。
serving-none-how = ホストのエージェントがこのサービスのログを追跡すると、ホストが動いているか、それはいつからか、なぜそう判断したかがここに出ます。<agent>2 つのコマンドでホストを追加できます</agent>
place-server = サーバー
sources-found = このホストにはどんなログがあるか
sources-connect = ほかの送り手をつなぐには
sources-room = 余裕はどれだけあるか
sources-room-answer = メモリは { $memory_budget } のうち { $memory }、ディスクは <b>{ $disk_budget } のうち { $disk }</b> を使っています。ディスク自体の空きは { $free } です。
sources-listens = Koshu の待ち受け先
sources-journal = ジャーナルは { $bytes }（セグメント { $segments } 個）です。
state-receiving = 受信中
state-idle = 新着なし
state-waiting = 待機中
state-failed = 失敗
state-not-followed = 未追跡
from-http = HTTP
from-file = ファイル
from-import = 取り込み
from-demo = デモ
from-agent = エージェント
from-otlp = OpenTelemetry
from-forward = fluentd forward
from-elasticsearch = Elasticsearch
from-syslog = syslog
from-loki = Loki
from-prometheus = Prometheus
from-sentry = Sentry SDK
from-statsd = StatsD
from-heartbeat = ハートビート
lines-per-s = 行/秒
rejected = 読み取れず
behind = 遅れ
clock-skew-s = 時計のずれ（秒）
rejects-why = { $n } 行を読み取れなかった理由
why-blank = 空の行です
why-too-long = 1 MiB を超えています
why-cut-short = 行が項目の途中で終わっています
why-no-time = 時刻がありません
why-bad-time = 時刻を読み取れないか、1 年から 9999 年の外です
why-no-request = 行にリクエストがありません
why-no-status = 行にステータスがありません
why-bad-status = ステータスが 100 から 599 の数ではありません
why-not-json = JSON ではありません
why-not-ltsv = 行に「ラベル:値」の項目がありません
why-not-alb = ロードバランサーのログの項目がそろっていません
why-not-elb = 旧型（Classic）ロードバランサーのログの項目がそろっていません
why-not-cloudfront = CloudFront のログの項目がそろっていません
why-heading = ログの見出し行で、リクエストではありません
why-no-match = 設定したパターンに合いません
why-unknown-format = 知っているどの形式でも読めません
why-not-a-map = 記録が、名前の付いた項目の集まりではありません
why-too-deep = 入れ子が 32 段を超えています
why-malformed = プロトコルの決まりに合っていません
why-bad-id = トレースかスパンの ID がないか、長さが違います
why-bad-value = 値が数ではありません
why-bad-name = 名前がないか、使えない文字が入っています
why-read-only = 受け取るのは新しい記録だけです。保存済みのものは変えたり消したりできません
why-unknown = Koshu が保存しない種類です
why-over-limit = Koshu の上限に達していました
why-service-is-deleted = サービスを削除している最中でした
why-too-many-series = 新しい系列でしたが、系列の上限に達していました
why-lost = ここか、このサーバーに届かない間のエージェントに空きがなく、送り直してもらうこともできません
why-sample = エージェントの値が数でないか、名前やラベルを保存できないか、そのホストの値の種類が多すぎます
found-by = 見つけた場所：{ $by }
by-nginx = nginx の設定
by-apache = Apache の設定
by-folder = よくあるフォルダ
found-none = このホストにアクセスログは見つかりませんでした。
found-none-how = nginx と Apache の設定と、よくあるフォルダを探しました。どのファイルでも手で取り込めます。
found-unreadable = Koshu には読む権限がありません：{ $reason }
found-allow = 読む権限を与えてから、Koshu を再起動してください：
found-sample = 先頭の { $lines } 行を試したところ、{ $parsed } 行を読み取れ、{ $rejected } 行は読み取れませんでした。
found-older = 古いファイルが { $n } 個あり、合わせて { $size } です。
found-following = { $service } として追跡しています。
follow = これからの分だけ追跡
follow-past = 過去も取り込んで追跡
imports-title = 取り込み
import-progress = { $path } の取り込み
import-done = 完了
import-failed = 失敗：{ $reason }
import-counts = 新しい { $lines } 行のうち、読み取り { $parsed }、読み取れず { $rejected }。
import-already = { $size } は保存済みなので飛ばしました。
import-past = 過去を取り込む…
import-again = もう一度、過去を取り込む…
import-past-title = このログの過去を取り込みますか
import-past-ask = ファイル { $files } 個、合わせて <b>{ $size }</b> を古い順に読みます。圧縮ファイルは、展開するとこれより大きくなります。読み取った行は、行に書かれた時刻で { $service } のリクエストになります。
import-past-once = 何度取り込んでも、同じ行を二重に数えることはありません。保存済みの分は飛ばします。その間もログの追跡は続きます。
import-start = 取り込む
import-too-many = 順番を待つ取り込みが多すぎます。いくつか終わってから、もう一度お試しください。
connect-pick = 何を動かしていますか。選んで、表示された行をその設定に貼り付けてください。
connect-access = アクセスログ
connect-hosts = ほかのホスト
connect-shippers = ログの転送
connect-telemetry = トレースとエラー
connect-metrics = メトリクスとアラート
connect-jobs = ジョブとデプロイ
snippet-nginx-json = nginx（応答時間つき）
snippet-nginx-syslog = nginx から syslog で
snippet-past-logs = 過去のログ
snippet-curl-lines = ログファイルを curl で
snippet-curl-record = 1 件だけ curl で
snippet-agent = ほかのホストのエージェント
snippet-agent-systemd = systemd で動かすエージェント
snippet-fluentd = fluentd
snippet-fluent-bit = Fluent Bit
snippet-vector = Vector
snippet-filebeat = Filebeat
snippet-promtail = Promtail
snippet-alloy = Grafana Alloy
snippet-rsyslog = rsyslog
snippet-otel-sdk = OpenTelemetry SDK
snippet-otel-collector = OpenTelemetry Collector
snippet-sentry = Sentry SDK
snippet-prometheus = Prometheus（リモートライトとアラート）
snippet-alertmanager = Alertmanager
snippet-prometheus-scrape = Koshu を Prometheus で見る
snippet-scrape = エクスポーターを Koshu から取得
snippet-statsd = StatsD
snippet-heartbeat = cron のジョブ
snippet-deploy = デプロイのスクリプト
snippet-github-webhook = GitHub の Webhook
snippet-github-actions = GitHub Actions
note-nginx-json = nginx.conf の http { "{" } と { "}" } の間に書きます。nginx を再読み込みしたら、上の一覧からファイルを追跡してください。
note-past-logs = そのままのファイルも .gz も .zst も読めます。同じ行を二重に取り込むことはありません。
note-curl = 「shop」は、あなたのサービスの名前に変えてください。
note-agent = 最初のコマンドはこのサーバーで実行し、ホスト 1 台分のトークンを作ります。そのファイルをホストに移し、2 つめのコマンドはホストで実行します。トークンはホストごとに 1 つずつ必要です。
note-agent-systemd = すべてホスト側の作業です。動かすユーザーがログを読める必要があります（Debian と Ubuntu ではグループ adm）。トークンはもう一つの設定例で、ホストごとに作ります。
note-sentry = 末尾の数字はプロジェクトを表します。設定ファイルで名前を決めるまで、エラーはサービス project-1 に入ります。
note-otel-sdk = OTEL_SERVICE_NAME が、ここでのサービスの名前になります。
note-prometheus-scrape = Koshu 自身のメモリ、ディスク、収集元ごとの行数を /metrics で公開しています。読むには読み取り用のトークンが必要です。
note-heartbeat = 「nightly-backup」は自由に決められる名前です。末尾の終了コードで、ジョブがうまくいったかどうかがわかります。
note-scrape = koshu.yaml に書きます。Prometheus と同じように、Koshu がこれらの対象から取得します。
note-github-webhook = GitHub は送るものにシークレットで署名します。同じ文字列を、このファイルと GitHub の設定画面に入れてください。デフォルトブランチへのプッシュ、デプロイ、リリースが、すべてのグラフに印として付きます。GitHub からこのアドレスに届く必要があります。
note-github-actions = デプロイするジョブに足すステップです。トークンはファイルに書かず、リポジトリのシークレット KOSHU_TOKEN に入れてください。GitHub からこのアドレスに届く必要があります。
guard-none-yet = トークンが一度も作られていないので、このマシンのプログラムはトークンなしで送れます。
guard-port = このプロトコルにはトークンを書く場所がありません。ポートに届く人なら誰でも送れます。
guard-forward = ポートに届く人なら誰でも送れます。koshu.yaml の server.intake.forward_shared_key を決めたときは、同じ鍵をこの設定にも書いてください。
guard-key = 通信は暗号化されます。YOUR_SHARED_KEY には koshu.yaml の server.intake.forward_shared_key と同じ鍵を書きます。forward_users も決めてあるなら、ユーザー名とパスワードも必要です。
guard-certificate = 通信は暗号化されます。送り手ごとに、koshu.yaml の server.tls.clients の認証局が署名した証明書が要ります。
reach-here-http = このアドレスで届くのは、このマシンの中だけです。ほかのマシンから送るには、そこから届くアドレス（server.listen.https や、手前に置いた TLS のプロキシ）で Koshu を開いてください。そのアドレスが入ります。
reach-here = 暗号化されない通信なので、受け付けるのはこのマシンからだけです。ほかのマシンからも受け付けるには、koshu.yaml で server.tls を設定し、そこから届くアドレスで待ち受けてください。ここで動くエージェント（Fluent Bit、rsyslog、Vector など）に中継させることもできます。
reach-here-encrypted = ほかのマシンから送るには、証明書と同じ名前で Koshu を開いてください。その名前が入ります。
reach-off = まだ受け付けていません。koshu.yaml に次のように書いてください：
token-for-this = このためのトークンを作る
token-for-this-name = トークンの名前
token-for-this-usual = 送信用
token-for-this-usual-read = Prometheus
token-filled = ここにも、ほかの設定例にも入れました。見られるのはこのページを離れるまでで、二度と表示されません。
token-read-filled = 入れました。すべてを読めるトークンです。見られるのはこのページを離れるまでで、二度と表示されません。
token-first-title = 開いている入口を閉じますか
token-first = いままでは、このマシンのプログラムならトークンなしで送れました。最初のトークンを作るとそれは終わり、トークンのない送信は、いま届いているものも含めてすべて断られます。作ったらすぐ、どの送り手にもトークンを持たせてください。
token-first-yes = トークンを作る

## サインインと設定
sign-in = サインイン
sign-in-title = { $host } の Koshu にサインイン
sign-in-wrong = ユーザー名かパスワードが違います。
sign-in-no-password = パスワードはまだ決められていません。Koshu が最初の起動で表示した一度きりのリンクを開いてください。
sign-in-lost = パスワードを忘れたときは、サーバーで一度きりのリンクを作れます：
user-name = ユーザー名
password = パスワード
password-title = パスワード
password-new = 新しいパスワード
password-help = { $n } 文字以上。文章でもかまいません。
password-short = { $n } 文字以上にしてください。
password-set = パスワードを変える
password-changed = パスワードを変えました。
password-others = パスワードを変えると、ほかのセッションは終わります。
welcome-title = Koshu へようこそ
welcome-waiting = サインインしています。
welcome-choose = サインインしました。次回のためにパスワードを決めてください。
welcome-set = パスワードを決めて始める
welcome-later = あとで
welcome-refused = このリンクは使用済みか、期限切れです。サーバーで新しく作ってください：
settings-title = 設定
settings-local = 言語、配色、タイムゾーンはこのブラウザに保存します。
theme-label = 配色
theme-auto = システムに合わせる
theme-light = ライト
theme-dark = ダーク
zone-label = タイムゾーン
zone-server = サーバーに合わせる（{ $zone }）
zone-browser = このブラウザに合わせる
zone-utc = UTC
tokens-title = トークン
tokens-none = トークンはありません。
tokens-none-why = いまは、このマシンからならトークンなしでデータを送れます。トークンを 1 つでも作ると、送信にも必要になります。
token-name = 名前
token-scope = 権限
token-prefix = 先頭
token-made = 作成
token-used = 最終使用
token-create = トークンを作る
token-remove = 無効にする
token-remove-ask = 「{ $name }」はすぐに使えなくなります。元には戻せません。
token-once = いまコピーしてください。二度と表示されません。
scope-ingest = データの送信
scope-agent = ホスト 1 台のエージェント
scope-agent-how = トークンはホストごとに 1 つ必要です。最初に使ったエージェントのホストに結び付き、ほかのホストには使えません。
scope-read = 読み取り
scope-admin = すべて
sign-out = サインアウト
sign-out-title = セッション
signed-in-as = { $user } としてサインインしています。

## エラー
errors-title = 何が失敗し、誰が困ったのか
errors-answer = { $range }：エラーは <b>{ $errors } 件</b>、原因は { $groups } 種類です。{ $users ->
    [0] 誰に起きたかは送られていません。
   *[other] <b>{ $users } 人</b>に起きました。
}最も多いのは <group>{ $kind }</group>（{ $most } 件）です。
errors-over-time = エラーの推移
unit-errors = 件
errors-open = 未解決
errors-resolved = 解決済み
errors-ignored = 対応しない
errors-all = すべて
errors-find = エラーを探す
errors-none = { $range }：エラーの報告はありません。
errors-none-how = 報告する仕組みがあって初めて安心できます。Sentry の SDK や OpenTelemetry の例外を受け取れます。<sources>何が届いているか</sources>を確かめるか、<week>直近 7 日間</week>を見てください。最初の 1 件は次のコマンドで送れます。
errors-none-shown = ここに当てはまるエラーはありません。
errors-none-shown-how = 別の状態を選ぶか、検索する言葉を減らしてください。
errors-more = { $all } 種類のうち { $shown } 種類です。期間を短くするか、サービスを選ぶと残りが見えます。
errors-fresh = { $back ->
    [0] { $fresh ->
        [0] 新しいものも、解決済みからの再発もありません。
       *[other] <b>{ $fresh } 種類は新しいもの</b>で、解決済みからの再発はありません。
    }
   *[other] { $fresh ->
        [0] <b>{ $back } 種類は解決済みからの再発</b>で、新しいものはありません。
       *[other] <b>{ $back } 種類は解決済みからの再発、{ $fresh } 種類は新しいもの</b>です。
    }
}
errors-fresh-unknown = 新しいものがあるかどうかはわかりません。それ以前の数日間をすべては調べられませんでした。
errors-none-open = 未解決のものはありません。どれも解決済みか、対応しないものです。
errors-all-of = { $service } のエラーをすべて見る
errors-new-means = 「新しい」は、この期間より前の { $days } 日間に起きていなかったものです。
errors-new-nothing-before = その間のエラーは 1 件も保存されていません。
error-new = 新しい
release = リリース
error-kind = 種類
error-message = メッセージ
error-what = エラー
error-trend = 推移
error-trend-of = { $n } 件の推移
error-first-seen = 最初
error-last-seen = 最後
error-state-open = 未解決
error-state-reopened = 再発
error-state-resolved = 解決済み
error-state-ignored = 対応しない
error-resolve = 解決済みにする
error-ignore = 対応しない
error-reopen = 未解決に戻す
error-decided = { $by }、{ $at }
error-decided-by-program = プログラムから、{ $at }
error-reopened-since = { $at } に解決済みとしましたが、その後また起きました
error-title = エラー
error-answer = { $range }：<b>{ $errors } 件</b>起きました。{ $users ->
    [0] 誰に起きたかは送られていません。
   *[other] <b>{ $users } 人</b>に起きました。
}最初に起きたのは { $first }、この期間の最後は { $ago }です。
error-gone-title = この期間には起きていません
error-gone = { $range }：このエラーはありません。
error-gone-how = もっと前のものかもしれません。<month>直近 30 日間</month>を見てください。
error-whom = 誰に起き、どのリリースから始まったのか
error-no-release = リリースの記載なし
error-no-person = 利用者の記載なし
error-records = 最近の記録
error-latest = { $all } 件のうち最近の { $n } 件です。
error-no-trace = トレースの記載がありません。
error-no-stack = スタックトレースが送られていません。
error-all-frames = { $n } 個のフレームをすべて表示
error-why = なぜ同じエラーとみなすのか
error-why-proven = 次の内容がすべてのエラーで一致しています（まとめ方 { $version }）。数値、ID、行番号など、毎回変わるものは比べません。
error-why-sender = 送り手がまとめ方を指定したか、保存の際に内容が短くなっています。指定がなければ次の内容を比べていました。
error-input-type = 種類
error-input-message = メッセージ
error-input-frame = フレーム
error-input-grouping = 送り手の指定
see-trace = トレースを見る
see-request = リクエストを見る
see-person = この利用者のリクエストを見る

## トレース
traces-title = 個々のリクエストは、どこで時間を使ったのか
traces-find = 言葉、またはトレース ID
traces-least = 最短
traces-least-wrong = 読み取れませんでした。250ms、1.5s、2分 のように書いてください。
traces-none = { $range }：ここで始まったトレースはありません。
traces-none-how = OpenTelemetry の SDK を入れたプログラムからトレースが届きます。一覧に出るのは起点のスパンです。<sources>何が届いているか</sources>を確かめるか、<week>直近 7 日間</week>を見てください。Python のプログラムなら次のように起動します。
traces-none-filter = 言葉を減らすか、最短の時間を短くするか、期間を長くしてください。
traces-answer = { $range }：新しい順に <b>{ $n } 件</b>、そのうち <b>{ $failed } 件</b>に失敗があります。最も遅いのは <trace>{ $name }</trace> の <b>{ $slowest }</b> です。
traces-more = これより古いものは出ていません。検索するか、期間を短くしてください。
trace-name = 起点
trace-spans = スパン
trace-services = サービス
trace-failed = 失敗
trace-kind = 種別
trace-starts = 開始
trace-span = スパン
trace-title = どこで時間を使ったのか
trace-answer = <service>{ $service }</service> の <b>{ $name }</b> は <b>{ $duration }</b> かかりました。スパンは { $spans } 個、サービスは { $services } 個、{ $failed ->
    [0] 失敗はありません
   *[other] 失敗は <b>{ $failed } 個</b>です
}。
trace-orphans = { $n } 個のスパンは親が届いていません。⤷ を付け、起点として並べています。
trace-orphan = 親のスパンが届いていません
trace-more-spans = 最初の { $n } 個のスパンだけを表示しています。
trace-waterfall = スパンの流れ
trace-gone-title = トレースが見つかりません
trace-gone = { $id } の記録はありません。
trace-gone-around = リンクの時刻の前後 1 時間を探しました。<week>直近 7 日間から探す</week>
trace-gone-how = 直近 7 日間を探しました。もっと古いか、送り手が間引いたか、まだ届いていないのかもしれません。
trace-no-spans = このトレースのスパンは届いていません
trace-no-spans-how = 同じ ID で記録されたものは下にあります。送り手がスパンを間引いたのかもしれません。
trace-errors = 何が失敗したのか
trace-no-errors = このトレースに結び付くエラーはありません。
trace-lines = どんなログが出たのか
trace-no-lines = この ID を持つログはありません。

## メトリクス
metrics-title = 何が測られているのか
metrics-answer = { $range }：メトリクスは <b>{ $names } 種類</b>、系列は { $series } 本です。
metrics-find = メトリクスを探す
metrics-shown = { $all } 種類のうち { $shown } 種類
metrics-pick = メトリクスを選ぶと推移が見えます。名前の横の数は系列の本数です。
metrics-more = 多すぎて一覧にすべては出せません。サービスを選ぶか、期間を短くしてください。
metrics-none = { $range }：測定値は届いていません。
metrics-none-how = Prometheus、OpenTelemetry、StatsD から送れます。<sources>何が届いているか</sources>を確かめるか、<week>直近 7 日間</week>を見てください。Prometheus では次のように設定します。
metric-series = 系列 { $n } 本
metric-series-head = 系列
metric-line = 線
metric-by = 分け方
metric-by-nothing = 分けない
metric-rate = 1 秒あたりの増加
metric-fold = 系列のまとめ方
metric-fold-mean = 平均
metric-fold-sum = 合計
metric-fold-min = 最小
metric-fold-max = 最大
metric-answer = { $line }：最新は <b>{ $last }</b>。{ $series ->
    [1] 系列は 1 本です。
   *[other] { $series } 本の系列を{ $fold }でまとめ、{ $lines } 本の線にしています。
}
metric-answer-rate = { $line }：最新は毎秒 <b>{ $last }</b>。{ $series } 本の系列を足し合わせ、{ $lines } 本の線にしています。カウンターが最初からになったところは 0 から数えます。
metric-no-rate = 増え方はわかりません。1 本の系列に測定値が 2 つ以上必要です。
metric-no-label = （このラベルなし）
metric-all = 全体
metric-drawn = { $all } 本のうち、大きい { $drawn } 本を描いています。表から選ぶと 1 本だけを見られます。
metric-left-out = 小さい { $n } 本は省いています。サービスを選ぶか、別のラベルで分けると減らせます。
metric-show-all = 大きい順に描き直す
metric-lowest = 最小
metric-highest = 最大
metric-unit = 値
metric-unit-s = 毎秒
metric-unit-bytes = バイト
metric-unit-bytes-s = バイト/秒
metric-unit-seconds = 秒
metric-unit-seconds-s = 秒/秒
metric-unit-ratio = 割合

## ログ
logs-title = プログラムは何を言ったのか
logs-find = 言葉、"続いた言葉"、-除く言葉
logs-lines = ログ（新しい順）
logs-over-time = ログの推移
logs-calm = その他
logs-warnings = 警告
logs-errors = エラー
unit-lines = 行
logs-answer = { $range }：<b>{ $n } 行</b>。うちエラーは <b>{ $errors } 行</b>、警告は { $warnings } 行です。
logs-none = { $range }：ログはありません。
logs-none-how = fluentd、Fluent Bit、Vector、rsyslog、OpenTelemetry から送れます。<sources>何が届いているか</sources>を確かめるか、<week>直近 7 日間</week>を見てください。アクセスログのリクエストは<explorer>「調べる」</explorer>にあります。最初の 1 行は次のコマンドで送れます。
logs-none-filter = 言葉を減らすか、重大度を下げるか、期間を長くしてください。
logs-least-any = すべての重大度
logs-least-trace = trace 以上
logs-least-debug = debug 以上
logs-least-info = info 以上
logs-least-warn = 警告以上
logs-least-error = エラー以上
logs-least-fatal = fatal のみ
log-severity = 重大度
logs-of-pattern = この型の行だけを表示中
logs-all-patterns = すべての型に戻す
logs-all = { $n } 行すべてです。
logs-newest = 新しい { $n } 行です。
logs-older = 古い行を読み込む
logs-narrow = 続きを見るには条件を絞ってください。
patterns-title = 行の型
patterns-of = { $n } 行すべてから見つけた型です。押すとその行だけを表示します。
patterns-newest = 新しい { $n } 行から見つけた型です。押すとその行だけを表示します。
patterns-others = ほかに、まれな型が { $n } 行あります。

## 見張り：言葉
nav-inbox = 受信箱
nav-objectives = 目標
nav-rules = ルール
nav-checks = 外形監視
watch-nav = 見張り
key-inbox = 「受信箱」へ
key-objectives = 「目標」へ
key-rules = 「ルール」へ
key-checks = 「外形監視」へ
key-acknowledge = アラートを引き受ける
key-outcome = 結果を記録する
class-alert = アラート
class-ticket = チケット
class-record = 記録
save = 保存
more = さらに表示
owner = 担当
rule = ルール
channel = 通知先
message = 内容
by-koshu = Koshu
since-length = { $length }前から
home-alerts = <b>アラートが { $n } 件</b>発報中です。いま誰かが動く必要があります。<inbox>受信箱を開く</inbox>
home-alerts-more = 発報中の<b>アラートが { $n } 件を超えています。</b><inbox>受信箱を開く</inbox>

## グラフの印
mark-alert = アラート { $rule }、{ $span }
mark-alert-open = アラート { $rule }、{ $at } から発報中
mark-ticket = チケット { $rule }、{ $span }
mark-ticket-open = チケット { $rule }、{ $at } から発報中
mark-change = { $kind }：{ $title }、{ $at }
mark-unread = これより後の発報が多いため、{ $at } より前の発報には印がありません。受信箱ですべて見られます。
marks-label = 時間軸の印 { $n } 個。矢印キーで移動できます
marks-firings = 発報 { $n } 件、{ $span }
marks-changes = 変更 { $n } 件、{ $span }
marks-more = ほかに { $n } 件あります。期間を短くすると見られます。

## 受信箱
inbox-title = 人の手が要るものは何か
inbox-open-alerts = （発報中のアラート { $n } 件）
inbox-open-tickets = （未完了のチケット { $n } 件）
inbox-calm = 発報中のアラートはありません。いますぐ動く必要はありません。
inbox-answer = <b>{ $n } 件のアラート</b>が発報中です。いま誰かが動く必要があります。
inbox-answer-more = 発報中の<b>アラートが { $n } 件を超えています</b>。利用者への影響が大きいサービスから見てください。
inbox-tabs = アラートかチケットか
inbox-alerts = アラート
inbox-tickets = チケット
inbox-all = すべて
inbox-open = 発報中
inbox-past = 終わったもの
inbox-todo = 未完了
inbox-overdue = 期限切れ
inbox-done = 完了
inbox-narrowed = { $what } だけを表示中
inbox-show-all = すべて表示
inbox-shown = { $n } 件を表示しています。
inbox-none-fit = 条件に合うものはありません
inbox-none-fit-how = 状態を変えるか、すべてのサービスとルールを表示してください。
alerts-none = アラートはまだ一度も出ていません
alerts-none-how = アラートは、種類（class）が alert のルールから出ます。勝手に人を起こすルールは組み込まれていません。次のように設定ファイルに書くと、<rules>ルール</rules>のページでそれぞれの状態が見えます。
alerts-none-open = 発報中のアラートはありません。
alerts-none-past = 終わったアラートはまだありません。
tickets-none = 該当するチケットはありません
tickets-none-how = チケットは、数日のうちに人が対応するものです。種類（class）が ticket のルールから作られ、期限もルールに書きます。
acknowledge = 引き受ける
acknowledged-by = { $by } が { $ago }に引き受けた
firing-lasted = { $at } から { $length }
firing-value = 測定値 { $value }
firing-value-limit = 測定値 { $value }／しきい値 { $limit }
advice-action = 最初にすること：<b>{ $action }</b>
advice-action-none = 最初にすること：ルールに書かれていません。action に書いてください。
advice-runbook = 手順書：{ $runbook }
advice-worth = 直近 30 日：判断のあった { $all } 回のうち、<rule>対応が必要だったのは { $of } 回</rule>（{ $share }、95 % 区間 { $interval }）
advice-runbook-of = { $rule } の手順書
owner-none = 担当なし
owner-is = 担当：{ $owner }
was-told = 通知済み
was-not-told = 誰にも通知していません
quiet-maintenance = { $until } まで通知なし。{ $by } の予告した作業中：{ $reason }
quiet-silenced = { $until } まで通知なし。{ $by } が止めた：{ $reason }
quiet-inhibited = 通知なし。{ $by } のほうが詳しく伝えているため
quiet-no-channel = 通知なし。通知先が設定されていません
quiet-other = 通知なし：{ $reason }
fired-times = { $n } 回目
has-notes = メモ { $n } 件
outcome-ask = 結果は？
outcome-acted = 対応した
outcome-healed = 自動で復旧した
outcome-by-itself = ひとりでに収まった
outcome-duplicate = 重複
outcome-nothing = 対応不要…
outcome-was-acted = 人が対応した
outcome-was-healed = 自動で復旧した
outcome-was-by-itself = ひとりでに収まった
outcome-was-duplicate = ほかと重複
outcome-was-nothing = 対応は要らなかった
outcome-change = 変更
outcome-why = なぜ対応が要らなかったのですか。この理由をもとにルールを直します。
outcome-why-example = 夜間の取り込みはいつも遅い
progress = 進み具合
progress-open = 未着手
progress-in-progress = 作業中
progress-done = 完了
ticket-done = { $at } に完了
ticket-due = 期限 { $at }（{ $ago }）
ticket-overdue = 期限切れ：{ $at } まで（{ $ago }）

## 1 件の発報
firing-title = 発報
firing-gone-title = 見つかりません
firing-gone = このアドレスに当たる発報は記録されていません。
firing-gone-how = サービスと一緒に削除されたのかもしれません。<inbox>受信箱を開く</inbox>
firing-open-since = { $at } から続いています（{ $ago }）。
firing-over = 終わりました。{ $from } から { $to } まで、{ $length }。
ask-ack = このアラートを引き受けますか。
ask-ack-what = 引き受けた人が対応し、ほかの人はもう呼び出されません。このページを開いただけでは、まだ誰も引き受けていません。
ask-ack-over = 引き受けるかを尋ねる通知でしたが、もう終わっています。
firing-action = 最初にすること
firing-action-none = ルールに書かれていません。action に書いてください。
firing-runbook = 手順書
firing-runbook-none = なし
firing-chart = 測定値の推移
firing-chart-note = 印は、この発報と同じサービスの発報（▲ アラート、■ チケット）、それに変更（◆）です。
measured = 測定値
limit = しきい値
amount-per-second = 毎秒 { $n }
amount-people = { $n } 人
unit-seconds = 秒
unit-days = 日
unit-per-second = 毎秒
see-rule = ルールを見る
see-rule-firings = このルールのすべての発報
see-service-then = 始まった頃のサービスの様子
firing-history = 何が起きたのか
firing-add = 書き加える
firing-links = 何と関係しているのか
firing-deliveries = 誰にどう伝わったのか
history-fired = 始まった
history-fired-again = 再び起きた
history-resolved = 終わった
history-acknowledged = 引き受けた
history-note = メモ
history-outcome = 結果
history-assigned = 担当の変更
history-due = 期限の変更
history-progress = 進み具合
history-escalated = 引き受ける人がなく、次の人に通知
history-delivered = 通知した
history-given-up = 通知できなかった
history-fell-back = 別の通知先に切り替え
history-quiet = 通知しなかった
history-told = 止めていた通知を送った
history-linked = 関連付け
note = メモ
note-add = メモを残す
owner-new = 新しい担当
owner-give = 引き継ぐ
due-new = 新しい期限
due-move = 変更
links-none = まだ何にも関連付けられていません。
link-add = 関連付ける相手
link-kind = 種類
link-it = 関連付ける
link-url = ページ
link-issue = Issue
link-firing = 発報
link-change = 変更
link-error-group = エラーのグループ
deliveries-none = 通知は 1 通も作られていません。
message-fire = 発報
message-resolve = 終了
message-remind = 催促
message-escalate = 次の人へ
message-test = テスト
delivery-at = 日時
delivery-attempts = 試行
delivery-answer = 通知先の応答
delivery-taken = 受け付けられた
delivery-instead = 代わりに { $channel } に通知。
delivery-pending = 送信待ち
delivery-delivered = 届いた
delivery-given-up = 断念
delivery-folded = 終了とまとめて通知

## 目標
objectives-title = あとどれだけ失敗できるか
objectives-answer = 目標は <b>{ $n } 件</b>。{ $spent ->
    [0] { $burning ->
        [0] 予算を超えたものも、消費が速すぎるものもありません
       *[other] 予算を超えたものはなく、<b>{ $burning } 件</b>は消費が速すぎます
    }
   *[other] <b>{ $spent } 件</b>が予算を超え{ $burning ->
        [0] ています
       *[other] 、ほかの <b>{ $burning } 件</b>は消費が速すぎます
    }
}。{ $unknown ->
    [0] {""}
   *[other] <b>{ $unknown } 件</b>については何もわかりません。
}
objectives-note = 消費 1× は、期間の終わりにちょうど予算を使い切る速さです。見ていなかった時間は、良好にも不良にも数えません。
objectives-none = 目標が設定されていません
objectives-none-how = 目標は、リクエストのどれだけが良好でなければならないか、つまりどれだけ失敗してよいかを決めるものです。設定ファイルに書き、それを見張るルールを置くと、いくつもあったアラートが 1 件にまとまります。
objectives-none-here = { $service } には目標がありません
objectives-all = <all>すべての目標を表示</all>
objective = 目標
objective-target = 目標値
objective-left = 予算の残り
objective-bad = 不良
objective-of = 対象
objective-bad-of = 不良／対象
objective-seen = 見ていた時間
objective-spent = 予算超過
objective-burning = 消費が速い
objective-unknown = わからない
objective-fine = 予算内
burn = 消費の速さ
burn-1h = 消費 1 時間
burn-6h = 消費 6 時間
burn-both = 直近 1 時間 { $hour }、直近 6 時間 { $six }
exhaustion = 予算が尽きる時
exhaustion-already = もう尽きた
exhaustion-in = このままなら { $length }後
exhaustion-not = 期間内は尽きない
exhaustion-unknown = わからない
seen-all = すべて
seen-share = { $share }（{ $missing }は見ていない）
seen-length = { $whole }のうち { $seen }
seen-nothing = { $whole }のうち、まったく見ていない
window-week = 暦の 1 週間
window-month = 暦の 1 か月
window-quarter = 暦の四半期
objective-title = { $service } の「{ $name }」は、あとどれだけ失敗できるか
objective-nothing = この期間には対象が 1 件もなく、何も言えません。
objective-answer = 予算の残りは <b>{ $left }</b> です。{ $valid } 件のうち { $bad } 件が不良でした。{ $window }の目標値は { $target } % です。
objective-over = { $valid } 件のうち { $bad } 件が不良でした。目標値 { $target } %（{ $window }）で許される数の <b>{ $times } 倍</b>です。
objective-whole = 期間全体
objective-whole-left = このままの量のリクエストが続けば、予算の残りは { $left }
objective-good = 良好の条件
objective-unjudged = 判定できなかった数
objective-window = 期間
objective-chart = 期間中の予算の残り
objective-chart-note = 印は、見張っているルールの発報（▲ アラート、■ チケット）と変更（◆）です。0 % より下は、許される数を超えています。見ていなかったところは線が途切れます。
objective-burnt = 何が予算を減らしたのか
objective-burnt-none = この期間に不良のリクエストは記録されていません。
objective-burnt-unknown = この条件では保存済みのリクエストを調べられないため、ルートはわかりません。
objective-unseen = 見ていなかったのはいつか
objective-unseen-none = すべての時間を見ていました。
objective-unseen-before = { $at } より前は、何も見ていませんでした。
objective-unseen-none-since = それ以降、見ていなかった時間はありません。
objective-unseen-what = 次の時間は誰も見ていませんでした。良好だったとも不良だったとも言えず、どちらにも数えていません。
objective-unseen-length = （{ $length }は見ていない）
objective-unseen-more = ほかに、もっと短い時間が { $n } か所あります。
objective-rules = 誰が見張っているのか
objective-rules-none = この目標を見張るルールがありません。予算が消費されても誰にも伝わりません。
objective-changes = その間に何が変わったのか
objective-gone = そのような目標は設定されていません。

## ルール
rules-title = 何を見張り、いまどうなっているか
rules-answer = ルールは <b>{ $n } 件</b>。{ $firing ->
    [0] 発報中のものはありません
   *[other] <b>{ $firing } 件</b>が発報中です
}。{ $blind ->
    [0] どれも見張る相手が見えています。
   *[other] <b>{ $blind } 件</b>は見張る相手が見えていません。
}
rules-none = ルールが設定されていません
rules-none-how = ルールは、シグナルを見て、アラート（いますぐ）・チケット（数日のうち）・記録のどれにするかを決めます。まずチケットから始め、本当に人が動いたものだけをアラートにしてください。
rules-none-fit = 条件に合うルールはありません
rules-none-fit-how = 名前が変わったか、設定ファイルから外れたのかもしれません。<all>すべてのルールを表示</all>
rules-all = すべてのルール
rule-class = 種類
config-problem = 設定ファイルの最後の変更は取り込まれていません。その前のルールがいまも有効です。
phase-firing = 発報中
phase-firing-why = 条件が、必要な長さだけ続いています。
phase-pending = まもなく発報
phase-pending-why = 条件は成り立っていますが、まだ必要な長さに達していません。
phase-source-lost = 届かなくなった
phase-source-lost-why = それまで送っていたものが送ってこなくなりました。収集元を確かめてください。
phase-failed = 問い合わせ失敗
phase-failed-why = 問い合わせそのものが失敗しました。クエリの誤りか、時間切れです。
phase-absent = データなし
phase-absent-why = 問い合わせには答えが返り、測るものがありませんでした。夜間などに起こります。
phase-fine = 正常
phase-fine-why = 測定でき、条件は成り立っていません。
series-blind = いまは
series-count = 系列 { $n } 本
series-more = ほかに { $n } 本の系列があります。
series-left-out = 上限を超えた { $n } 本の系列は見張られていません。
rule-record = これまでの結果はどうだったか
record-none = まだ一度も発報していません。
record-none-lately = この期間には発報していません。
record-unjudged = { $n } 回発報しましたが、対応が要ったかどうかをまだ誰も記録していません。ルールの良し悪しは判断できません。
record-answer = { $n } 回発報しました。判断のあった { $all } 回のうち、対応が必要だったのは <b>{ $of } 回</b>です。
record-began = 開始
record-ended = 終了
record-open = 発報中
record-acknowledged = 引き受けた人
record-outcome = 結果

## 通知先
channels-title = 通知は届いているか
channels-none = 通知先が設定されていません
channels-none-how = 発報したものはここに記録されますが、誰にも伝わりません。アラートの通知先を少なくとも 1 つ決めてください。
channel-told = 送るもの
channel-not-configured = いまの設定ファイルにはない
channel-failing = { $at } から失敗中
channel-took = { $ago }に受け付けた
channel-nothing = まだ 1 通も送っていない
channel-test = テスト
channel-test-send = テストを送る
channel-test-sent = { $channel } にテストを送っています。届いたリンクを誰かが開き、届いたと答えてはじめて有効になります。
channel-test-arrived = { $by } が確認（{ $at }）
channel-test-waits = { $ago }に送信。届いたという返事はまだない
channel-test-never = 未実施
test-title = テストは届きましたか
test-what = テストのメッセージのリンクから来たのなら、届いたと答えてください。リンクはプログラムも開くので、このページを開いただけでは数えません。
test-arrived = はい、届きました
test-thanks = ありがとうございます。「{ $channel }」に通知が届くことを確認しました。
test-next = <rules>通知先の一覧を見る</rules>

## 通知を止める・作業の予告
quiet-title = 何の通知を止めているか
quiet-none = 止めている通知はありません。
quiet-kind = 種類
quiet-what = 対象
quiet-who = 決めた人
quiet-until = いつまで
quiet-begins = { $at } から
quiet-end = 終わらせる
quiet-add = しばらく通知を止める
quiet-length = 長さ
quiet-ends = { $at } に自動で終わります。その間の発報も記録し、数えます。
quiet-begin = 通知を止める
silence = 停止
maintenance = 作業
silence-what = 停止：条件に合う通知を止める
maintenance-what = 作業：サービスの作業を予告する
silence-match = 次のすべてに合うもの
silence-match-help = rule=checkout-slow service=shop route="POST /cart" のように書きます。値の最後に * を付けられます。少なくとも 1 つは値を指定してください。
maintenance-service = サービス（空ならすべて）
while-1h = 1 時間
while-4h = 4 時間
while-1d = 1 日
while-3d = 3 日
while-7d = 7 日

## 外形監視
check = 監視項目
checks-title = 動くべきものは外から見て動いているか
checks-answer = 監視項目は <b>{ $n } 件</b>。{ $failed ->
    [0] 失敗しているものはありません
   *[other] <b>{ $failed } 件</b>が失敗しています
}。{ $late ->
    [0] {""}
   *[other] <b>{ $late } 件</b>のジョブが遅れています。
}{ $unsure ->
    [0] {""}
   *[other] <b>{ $unsure } 件</b>については何も言えません。
}
checks-none = 外形監視が設定されていません
checks-none-how = 外形監視は、利用者と同じことを外から試します。ページを開く、サインインする、買う。絶対に壊れてはいけない操作を 1 つ選んで始めてください。
checks-none-fit = 条件に合う監視項目はありません
checks-all = <all>すべての監視項目を表示</all>
checks-find = 監視項目を探す
checks-shown = { $all } 件のうち、悪いものから { $shown } 件を表示しています。
checks-not-stored = サーバーの起動後、{ $n } 件の結果を保存できませんでした。
check-failed = 失敗
check-unknown = 不明
check-late = 遅れ
check-pending = 未実行
check-ok = 正常
check-uptime = 正常（24 時間）
check-minutes = { $n } 分のうち
check-chart-note = 印は、この外形監視の発報（▲ アラート、■ チケット）と変更（◆）です。
check-took = 所要時間
check-took-places = 場所ごとの所要時間
check-places-note = 最近の { $n } 回の実行を、{ $every }ごとに並べています。線が切れているところでは、その場所からの報告がないか、時間を測れていません。
check-place-until = { $place }（{ $at } まで）
check-places-drawn = { $all } か所のうち、状態の悪いものから { $drawn } か所を描いています。
check-last = 最終実行
check-why = 何が悪いか
check-gone = そのような監視項目は設定されていません。
check-target = 対象
check-every = 間隔
check-from = 実行場所
check-places-part = { $of } か所のうち { $n } か所
check-no-runner = 実行するはずのエージェントから何も届いていません。
check-run-here = この監視項目を実行するのはエージェントだけです。「いま実行」はサーバーから試すだけで、結果は数えません。
check-last-ok = 最後の正常
check-certificate = 証明書の有効期限
check-heartbeat-due = 次のハートビートの期限
check-evidence = このサーバー自身のネットワークが切れているのかもしれません。次を試しました。
check-run = いま実行
check-running = 実行中
check-day = この 1 日はどうだったか
check-day-unknown = この 1 日については何も言えません。
check-day-answer = 見ていた時間の <b>{ $share }</b> が正常でした。正常 { $ok } 分、失敗 { $failed } 分。{ $rest ->
    [0] {""}
   *[other] { $rest } 分については何も言えません。
}
check-runs = 最近の実行で何がわかったか
check-runs-none = まだ一度も実行されていません。
check-last-bad = 最後に正常でなかった実行
check-attempts = { $n } 回試行
check-steps = 手順
check-step = 手順
check-total = 合計
minute-ok = 正常
minute-failed = 失敗
minute-unknown = 不明
minute-unwatched = 見ていない
step-dns = 名前解決
step-connect = 接続
step-tls = TLS
step-first-byte = 最初の応答
step-rest = 残り
coverage-title = 誰も見ていないのはどこか
coverage-no-traffic = この期間にリクエストのあるサービスはありません。
coverage-none-of = この期間、{ $service } にリクエストはありません。
coverage-answer = { $service } のリクエスト { $requests } 件のうち <b>{ $share }</b> を外形監視が通ります。{ $routes } 件のルートのうち <b>{ $open } 件</b>はどの監視項目も見ていません。{ $bare ->
    [0] そのすべてに目標があります。
   *[other] そのうち <b>{ $bare } 件</b>には目標もありません。
}
coverage-share = リクエストの割合
coverage-judged = 判定する目標
coverage-nothing = なし
coverage-more = ほかに、リクエストの少ないルートが { $n } 件あります。
coverage-idle = この期間に利用者が通らない手順を含む監視項目：{ $names }

## 月次レポート
report-title = { $month }、{ $service } はどれだけ使えたか
report-title-bare = サービスはその月どれだけ使えたか
report-no-service = リクエストが届けば、月ごとに報告できます。<sources>何が届いているか</sources>を確かめてください。
report-month = 月
report-before = 前の月
report-after = 次の月
report-objective-default = サービスの目標
report-gone = そのレポートはありません
report-gone-how = サービスか目標の名前が変わったのかもしれません。<report>選び直す</report>か、<service>サービスのページ</service>を見てください。
report-csv = CSV をダウンロード
report-print = 印刷
report-service-now = いまのサービスを見る
report-goes-on = この月はまだ終わっていません。{ $until } までの値です。
report-incomplete = { $n } 日分は一部しかわかりません（{ $days }）。その日のリクエストの一部またはすべてが、もう保存されていないからです（保存期間かディスクの予算による削除、またはファイルの破損）。その日、誰に何があったかはわかりません。丸 1 か月を残すには、設定ファイルに「server.retention.requests: 62d」と書き、「server.disk」を十分に取ってください。
report-empty = この月については何もわからないので、値はありません。100 % という意味ではありません。
report-empty-how = この月のリクエストは保存されていません。届いていないか、保存期間を過ぎています。<sources>何が届いているか</sources>を確かめてください。
report-answer = 良好だったのは、時間では <b>{ $time }</b>、リクエストでは <b>{ $requests }</b>、利用者の時間では <b>{ $users }</b> です。
report-disappointed = { $n ->
    [0] 利用者 { $all } 人のうち、エラーに遭った人はいません（{ $share }、95 % 区間 { $interval }）。
   *[other] 利用者 { $all } 人のうち <b>{ $n } 人</b>がエラーに遭いました（{ $share }、95 % 区間 { $interval }）。
}
report-disappointed-unknown = 何人がエラーに遭ったかはわかりません。
report-allowed = 目標値 { $target } % なら、月全体で <b>{ $allowed }</b>まで停止が許されます。不良だったのは <b>{ $bad }</b>です。{ $unknown ->
    [0] {""}
   *[other] ほかに { $unknown } 分については何もわかりません。
}
report-allowed-of = 目標「<objective>{ $objective }</objective>」（{ $target } %）では、月全体で <b>{ $allowed }</b>まで停止が許されます。不良だったのは <b>{ $bad }</b>です。{ $unknown ->
    [0] {""}
   *[other] ほかに { $unknown } 分については何もわかりません。
}
report-no-target = どれだけの不良が許されるかを決める目標がないので、達成かどうかは言えません。<objectives>目標</objectives>を設定してください。何も見張っていないサービスなら、<service>サービスのページ</service>に案があります。
report-definitions = 3 つの定義による可用性
report-definition = 数え方
report-with = 作業も数える
report-without = 作業を除く
report-by-time = 時間
report-by-time-means = リクエストの { $share } 以上が良好だった 1 分の割合。
report-by-requests = リクエスト
report-by-requests-means = 良好なリクエストの割合（{ $good }）。
report-by-users = 利用者の時間
report-by-users-means = 利用者が使おうとした時間のうち、問題なく使えていた割合。
report-minutes-of = { $all } 分のうち { $good } 分
report-minutes-unknown = { $n } 分は不明
report-requests-of = { $all } 件のうち { $good } 件
report-users-of = { $all }のうち { $good }
report-interval = 95 % 区間 { $interval }
report-nothing-known = 何もわからない
report-met = 目標を達成
report-met-as-seen = 見えていた範囲では達成
report-missed = 目標に届かず
report-unknown = わからない
report-maintenance = { $n ->
    [0] この月に予告された作業はなく、どちらの列も同じ値です。
   *[other] 予告された作業は { $n } 分です。
}
report-worst = いちばん悪かったのはいつか
report-worst-none = この月に判定できる時間帯はありません。
report-worst-length = 長さ
report-worst-share = 利用者にとって良好
report-worst-note = 長さごとに、利用者の時間で見て最も悪かった時間帯です。開くと、その時のサービスの様子が見られます。
report-how = どう計算しているか
report-how-good = 良好なリクエストの条件は { $good } です。
report-how-time = 時間：リクエストの { $share } 以上が良好だった 1 分を、良好と数えます。リクエストのない 1 分は不明で、良好にも不良にも数えません。
report-how-requests = リクエスト：良好な件数を全体で割ります。95 % 区間は、100 回のうち 95 回は真の割合を含む幅です。件数が少ないほど広くなります。
report-how-users = 利用者の時間：同じ人のリクエストの間の時間を、直前のリクエストの良し悪しで数えます。{ $cut }を超えて間が空いたら、その人はいないとみなし、数えません。
report-how-maintenance = 作業とは、予告された作業のことです。左の列ではほかの時間と同じように数え、右の列では除きます。
report-how-unknown = 何も見えていなかった時間については何も言いません。値を上げも下げもせず、別に数えています。
report-how-allowed = 許される停止時間は、月全体から目標の分を引いた残りです。30 日の 99.98 % なら 8.64 分です。
report-how-rounded = 値はすべて小数第 3 位で切り捨てています。99.9996 % は 100 % ではありません。
report-span = { $from } から { $to } まで（{ $zone }）。

## ルールが見つけること
detects-above = { $what }が { $limit }を超える
detects-above-for = { $what }が { $hold }続けて { $limit }を超える
detects-below = { $what }が { $limit }を下回る
detects-below-for = { $what }が { $hold }続けて { $limit }を下回る
detects-burn = { $service }の目標 { $objective }（{ $target } %）の予算の消費が速すぎる
detects-no-data = { $what }のデータが { $after }以上ない
detects-of = { $of }の { $signal }
detects-query = クエリの値
detects-query-of = { $of }のクエリの値
of-route = { $name }
of-each-route = 各ルート
of-service = サービス { $name }
of-each-service = 各サービス
of-host = ホスト { $name }
of-each-host = 各ホスト
of-check = 外形監視 { $name }
of-each-check = 各外形監視
of-error-group = エラーのグループ { $name }
of-each-error-group = エラーの各グループ
of-heartbeat = ハートビート { $name }
of-each-heartbeat = 各ハートビート
of-process = プロセス { $name }
of-each-process = 各プロセス
of-objective = 目標 { $name }
of-each-objective = 各目標

## アラートの質
nav-actionability = アラートの質
nav-report = 可用性
key-actionability = 「アラートの質」へ
key-report = 「可用性」へ
quality-title = 知らせる価値があったのはどのルールか
quality-days = 対象の期間
quality-none = この期間に発報したルールはありません。
quality-none-how = 判断の材料がありません。悪いことが何もなかったか、ルールが相手を見られていないかのどちらかです。<rules>各ルールの状態を見る</rules>
quality-no-alerts = アラートはありません。チケットは { $tickets } 件です。
quality-nobody-said = <b>アラートは { $n } 件</b>ですが、対応が要ったかどうかをまだ誰も記録していません。受信箱で記録すると、ルールの良し悪しを判断できます。
quality-answer = <b>アラートは { $n } 件</b>。判断のあった { $all } 件のうち対応が必要だったのは { $of } 件、<b>{ $share }</b> です（95 % 区間 { $interval }）。
quality-demotable = { $n ->
    [0] 空振りと言い切れるルールはありません。
   *[other] <b>{ $n } 件のルール</b>は空振りが多く、チケットにすべきです。
}
quality-note = 数えているのは結果が記録された発報だけで、重複は除きます。破線は半分の位置です。「ばたつき」は 5 分以内にひとりでに収まったもの、「時間外」は勤務時間（{ $zone } の { $from } 時から { $to } 時）以外です。「空振りの時間」は、対応の要らなかったものを誰かが引き受けるまでの時間に、仕事に戻るまでの 15 分を加えた合計です。
quality-sort-first = 直すべき順
quality-unjudged = まだ判断なし
quality-precision = { $all } 回のうち { $of } 回（{ $share }）
quality-interval = 95 % 区間 { $interval }
quality-undecided = 判断なし
quality-demote = チケットにすべき
quality-not-configured = いまの設定ファイルにはない
quality-told = 通知
quality-told-n = 通知 { $n }
quality-of = 対応が必要だった数
quality-all = 判断のあった数
quality-low = 区間の下端
quality-high = 区間の上端
precision = 対応が必要だった割合
firings = 発報
noise = 空振りの時間
off-hours = 時間外
flaps = ばたつき
median-acknowledge = 引き受けるまで（中央値）
demotion-title = チケットに変えるべきアラートはどれか
demotion-none = ありません。不要なほうが多いと言い切れるアラートはありません。判断が少ないうちは何も言い切れないので、受信箱で 1 件ごとに結果を記録してください。
demotion-what = 対応が必要だったのは半分未満です。区間の上端でも半分に届かないので、偶然ではありません。このために人を起こすべきではありません。
demotion-propose = 変更案を見る
demotion-hide = 変更案を閉じる
demotion-answer = 直近 { $days } 日間なら、<b>アラートは { $fewer } 件減り、見逃す障害は { $missed } 件</b>です。
demotion-detail = 変更前のアラートは { $before } 件、変更後は { $after } 件。障害とは、人が対応したか自動で復旧したアラートのことで、この間に { $incidents } 件ありました。
demotion-missed = ほかのどのアラートも気づかなかった障害が { $n } 件あります。決める前に<firings>このルールの発報</firings>を見てください。
demotion-no-replay = この変更をした場合の直近 30 日間を再現できなかったので、何を見逃すことになるかはわかりません。
demotion-copy = 変更をコピー
demotion-diff = { $file } の変更
demotion-how = Koshu は案を出すだけで、何も変えません。設定を管理しているリポジトリで適用し（<code>git apply</code>）、誰かに見てもらってから反映してください。以後、このルールはチケットになります。
demotion-why = 理由：対応が必要だったのは { $all } 回のうち { $of } 回（95 % 区間 { $interval }）。
demotion-gone = 「{ $rule }」というルールは設定ファイルにありません。
demotion-refused = 「{ $rule }」には変更案を出せません。
demotion-by-hand = 手で変えてください。ルールを書いた場所で「class: alert」を「class: ticket」にし、いつまでに対応するかを「due」に書きます。
diff-added = 追加：
diff-removed = 削除：
person = 人
week = 週
week-of = { $day }から
pages = 呼び出し
over-budget = 目安
over-budget-is = 超過
over-budget-not = 範囲内
people-title = 誰がどれだけ呼び出されているか
people-budget = 無理のない目安は、1 人 1 週間あたり呼び出し { $pages } 回まで、うち時間外は { $off } 回までです。
people-none = この期間に呼び出された人はいません。
people-answer = { $over ->
    [0] 延べ { $n } 人週のうち、目安を超えたものはありません。
   *[other] 延べ { $n } 人週のうち <b>{ $over }</b> が目安を超えました。
}
people-note = 誰が呼び出されたかわからないものは、ルールの担当に数えています。小さなチームでは分け合うにも限りがあるので、アラートを減らすのが近道です。

## 再現
replay-title = いまのルールなら何を知らせていたか
replay-what = いま設定されているルールを、保存済みの過去に 1 分ずつ当てはめます。誰にも通知しません。
replay-time = 期間
replay-page-range = ほかの期間
replay-run = 再現する
replay-running = 再現しています。最長 100 秒かかります。
replay-seconds = { $n } 秒
replay-cancelled = 中止しました。
replay-answer = { $span }：<b>アラート { $alerts } 件</b>、<b>チケット { $tickets } 件</b>、記録 { $records } 件。
replay-stopped = 時間かメモリが足りず、{ $asked } までのうち { $to } まで、<b>{ $share }</b> を再現しました。その先はわかりません。期間を短くすると最後まで再現できます。
replay-unreached = 再現していない時間
replay-nothing = 再現できたルールの中に、発報したはずのものはありません。
replay-firings = 発報
replay-series = 系列
replay-lasted = 長さ
replay-measured = 測定値
replay-went-on = 続いていた
replay-shown = { $all } 件のうち { $shown } 件を表示しています。
replay-more = ほかに { $n } 件あり、数には含めていますが一覧にはありません。
replay-not = 再現できなかったもの
replay-not-what = 次のルールが発報したかどうかはわかりません。

## 最初のルール
unwatched-title = 誰も見張っていないサービスはどれか
unwatched-none = ありません。リクエストのあるサービスには、どれもルールか目標があります。
unwatched-answer = <b>{ $n } 個のサービス</b>にはリクエストがあるのに、ルールも目標もありません。失敗しても誰にも伝わりません。
unwatched-requests = リクエスト { $n } 件
unwatched-range = リクエストを数えた期間：{ $range }。
watching-title = { $service } が悪くなったら誰に伝わるか
watching-answer = <rules>ルール { $rules } 件</rules>と<objectives>目標 { $objectives } 件</objectives>で見張っています。<report>月ごとの可用性</report>
watching-nobody = <b>誰にも伝わりません。</b>{ $service } にはルールも目標もありません。<report>月ごとの可用性</report>
starter-show = 案を見る
starter-hide = 案を閉じる
starter-nothing = { $service } には、案のもとになる過去がまだありません。
starter-nothing-how = 案を作るには、少なくとも丸 1 日分のリクエストが要ります。<sources>収集元</sources>で古いログを取り込むか、明日また見てください。
starter-answer = { $service } の過去から作った最初の案です。その期間（{ $span }）に当てはめると、<b>アラート { $alerts } 件</b>、<b>チケット { $tickets } 件</b>、記録 { $records } 件でした。
starter-no-replay = { $service } の過去（{ $span }）から作った最初の案です。その間に何を知らせたはずかはわかりません。
starter-why = この数値にした理由
starter-yaml = 設定そのもの
starter-copy = YAML をコピー
starter-save = YAML をダウンロード
starter-owner = 担当はどのチーム、または誰ですか
starter-accept = 採用する…
starter-not-possible = ここからは採用できません。
starter-no-folder = 設定が 1 つのファイルで、人が管理しているものに Koshu は書き込みません。案をコピーして加えてください。設定にフォルダを指定して Koshu を起動すれば、そこに「{ $file }」を置けます。
starter-exists = 設定フォルダにもう「{ $file }」があります。まずそちらを確かめ、足りないものをここからコピーしてください。
starter-declared = { $service } か、同じ名前のルールが、設定の別のファイルで宣言されています。二重には宣言できないので、足りないものをここからコピーして、そのファイルに加えてください。
starter-by-hand = 案をコピーし、{ $service } の設定に手で加えてください。
starter-ask = このルールを設定に加えますか
starter-ask-what = 設定フォルダに「{ $file }」を書き込みます。数秒のうちに { $service } の目標とルールが有効になり、見つけたものは設定済みの通知先に伝わります。元に戻すには、このファイルを消してください。
starter-ask-yes = 書き込む
starter-accepted = 「{ $file }」に書き込みました。数秒のうちに有効になります。<rules>ルール</rules>か<objectives>目標</objectives>を見てください。
