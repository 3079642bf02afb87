# コマンドラインの日本語。英語の訳ではなく、意味から書いたもの。キーが英語と同じであることはテストが見ている。

## 列
cli-col-route = ルート
cli-col-count = 回数
cli-col-total = 合計時間
cli-col-share = 割合
cli-col-mean = 平均
cli-col-errors = 5XX
cli-col-error-ratio = 5XX %
cli-col-file = ファイル
cli-col-lines = 行
cli-col-parsed = 読み取れた行
cli-col-rejected = 読み取れない行
cli-col-already = 取り込み済み
cli-col-first-error = 最初の読み取れない行
cli-col-id = ID
cli-col-name = 名前
cli-col-scope = 権限
cli-col-prefix = 先頭
cli-col-made = 作成
cli-col-used = 最終使用
cli-col-password = パスワード設定
cli-col-check = 項目
cli-col-verdict = 判定
cli-col-detail = 状態
cli-col-advice = すること

## koshu up
cli-up-data = koshu { $version } のデータフォルダ: { $dir }
cli-up-found = 見つかったログ { $path }: { $problem }
cli-up-following = { $path } をサービス { $service } として、これからの分を追跡している。過去の分 ({ $size }) の取り込み: koshu import --service { $service } { $path }*
cli-up-sign-in-once = サインイン (一度だけ、1 時間以内): { $url }
cli-up-sign-in = サインイン: { $url }
cli-up-stopping = 停止する

## koshu access
cli-access-lines = { $lines } 行: 読み取れた行 { $parsed }、読み取れない行 { $rejected }、形式 { $format }
cli-access-no-format = 不明
cli-access-span = { $from } から { $to } まで
cli-access-total = リクエスト { $count } 件、ルート { $routes } 件、5xx { $errors } 件。利用者が待った時間の合計: { $waited }
cli-access-untimed = このログには記録がない
cli-access-more-rows = 表示していないルートがあと { $rows } 件ある (--limit)
cli-access-error = パーセンタイルの誤差は { $percent } % 以内 (--exact で誤差なし)
cli-access-exact = パーセンタイルは正確な値 (nearest-rank 法)
cli-access-some-untimed = { $count } 件には応答時間がない。時間と割合はそれ以外について
cli-access-interval = 5xx の割合のうしろは 95 % 区間
cli-access-other = ルートが { $limit } 件を超えた: 約 { $routes } 件のルートへのリクエスト { $count } 件を (other) にまとめた
cli-access-rejected = 読み取れない行が { $count } 行ある。理由ごとに一例 (値は伏せてある):

## koshu import
cli-import-waiting = サーバーが混み合っている。{ $seconds } 秒後に続ける
cli-import-again = 受け取られた分は保存されている。同じコマンドをもう一度実行すれば続きから始まり、二重には数えない。
cli-import-race = { $file } は、ほかのプログラムも同時に取り込んでいる
cli-import-pattern = パターンはサービスごとに koshu.yaml に書き、--format auto で取り込む

## koshu query
cli-query-rows = { $rows } 行、{ $took }。範囲は { $from } から { $to } まで
cli-query-truncated = 続きがある: --limit を大きくするか、SQL で集計する
cli-query-damaged = 壊れているため除いた: { $file } (詳しくは koshu fsck)
cli-range-backwards = --from が --to より後になっている

## koshu tail
cli-tail-lost = 接続が切れた。{ $seconds } 秒後につなぎ直す。その間の行は表示されない
cli-tail-dropped = 届くのが速すぎて、{ $count } 行を表示できなかった
cli-tail-not-koshu = 応答が Koshu のものではない

## koshu check
cli-check-good = 設定に問題はない。読んだファイル: { $files }
cli-check-bad = 問題: { $problems } 件

## koshu token, koshu user
cli-token-once = 表示は今回だけ。パスワードと同じように保管すること。
cli-token-deleted = 削除した。これ以降は断られる。
cli-token-none = トークン { $token } はない
cli-token-none-hint = koshu token list で ID がわかる
cli-token-two = { $token } で始まるトークンが複数ある。ID を指定する
cli-link-once = 一度だけ、1 時間以内に使える。以前のリンクは無効になった。
cli-password-prompt = 新しいパスワード (入力は画面に見える。パイプでも渡せる):
cli-password-set = パスワードを設定した。このアカウントのセッションはすべて終了した。
cli-user-none = アカウント { $name } はない
cli-user-none-hint = koshu user list で一覧できる
cli-no-store = { $dir } にストアがない
cli-no-store-hint = --dir でデータフォルダを指定する。koshu up の初回起動時に作られる
cli-config-broken = 設定に誤りがある
cli-config-broken-hint = koshu check DIR で場所がわかる

## koshu fsck
cli-fsck-checked = ジャーナルのセグメント { $segments } 個とファイル { $files } 個を調べた: { $rows } 行、{ $bytes }
cli-fsck-good = 壊れているところはない。
cli-fsck-bad = 壊れているところ: { $count } か所。ほかはすべて読める。バックアップがあればこれらのファイルを戻す。
cli-no-lake = { $dir } にデータレイクがない
cli-no-lake-hint = --dir でデータフォルダを指定する
cli-lake-in-use = { $dir } のデータレイクはサーバーが使用中
cli-lake-in-use-hint = 検査の前にサーバーを止める

## koshu doctor
cli-doctor-config = koshu check で調べ、示されたところを直す
cli-doctor-folder = koshu を動かすユーザーに書き込みを許すか、--dir で別のフォルダにする
cli-doctor-not-a-folder = フォルダの場所にファイルがある。移すか、--dir で別のフォルダにする
cli-doctor-disk = 空きを増やす。足りないと新しい記録は断られる (読むことはできる)
cli-doctor-disk-budget = server.disk を空きより小さくする
cli-doctor-memory = メモリを増やす (server.memory)。このままではクエリが上限に達しやすい
cli-doctor-memory-budget = server.memory をこのマシンのメモリより小さくする
cli-doctor-files = 開けるファイル数の上限 (ulimit -n, LimitNOFILE) を 4096 に上げる
cli-doctor-store = 書いたバージョンで起動するか、バックアップから戻す
cli-doctor-first-start = 初回起動時に作られる
cli-doctor-free = は空いている
cli-doctor-not-ready = サーバーは応答するが準備ができていない。ログに理由がある
cli-doctor-port = いつものポートをほかのプログラムが使っている。--http 127.0.0.1:0 で起動する
cli-doctor-clock = マシンの時計を合わせる (NTP)。記録とサインインの時刻はこの時計による

## 失敗
cli-cannot-open = { $file } を読めない
cli-is-a-folder = { $file } はフォルダ
cli-is-a-folder-hint = 中のファイルを指定する: { $file }/*
cli-unreachable = { $server } のサーバーにつながらない
cli-unreachable-hint = koshu up で起動するか、場所を指定する: --server URL または --dir DIR
cli-no-token = { $server } のサーバーはトークンを求めている
cli-no-token-hint = --token-file か KOSHU_TOKEN で渡す。--dir DIR ならデータフォルダのものを使う。koshu token create で作れる
cli-forbidden = { $server } のサーバーが許可しない: { $detail }
cli-forbidden-hint = トークンの権限が足りない。koshu token create --scope で別のものを作る
cli-refused = { $server } のサーバーの応答は { $status }: { $detail }
cli-not-koshu = { $server } は別の場所へリダイレクトする (ステータス { $status })。Koshu 自身のアドレスを指定する
cli-request-bad = リクエストを組み立てられない
cli-bad-address = { $server } はアドレスではない。例: http://127.0.0.1:4649
cli-listen-http-off = --listen http=off では入口がなくなる
cli-access-pattern = --pattern が使えない
cli-access-no-pattern = --format pattern には正規表現が要る: --pattern REGEX
cli-no-command = コマンド { $name } はない
cli-no-command-hint = koshu --help で一覧できる

## koshu rules
cli-rules-replaying = 過去のデータで試している
cli-rules-replayed = { $from } から { $to } まで: アラート { $alerts } 件、チケット { $tickets } 件、記録 { $records } 件
cli-rules-cut = 時間かメモリが足りず { $to } までは進めなかった: 残りは --from で続きを指定するか、ルールを減らす
cli-rules-more = 一覧にないものがほかに { $more } 件ある: 期間を短くする
cli-rules-not-replayed = { $rule } は対象外: { $why }
cli-rules-sampled = { $rule } は { $seconds } 秒おきに調べた: 1 分おきに見るには期間を短くする
cli-rules-compared = いまのルールではアラート { $before } 件、このルールでは { $after } 件。人が対応したアラート { $incidents } 件のうち { $missed } 件を見逃す

## koshu check --send-test
cli-test-none = 通知先が設定されていない: アラートは誰にも届かない
cli-test-none-hint = koshu.yaml に `outputs:` を加える
cli-test-sent = { $outputs } か所の通知先へ送った。届いたリンクを開き、届いたと答える。最長 { $wait } 待つ。
cli-test-acknowledged = 届いたと確認済み
cli-test-delivered = 通知先は受け付けたが、届いたという答えはまだない
cli-test-failed = 通知先に断られた
cli-test-tried-again = 受け付けられず、送り直している
cli-test-again = { $output }: 受け付けられず、送り直している: { $why }
cli-test-waiting = まだ受け付けられていない
