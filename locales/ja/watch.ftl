# 発報についての文面 (チャット、メール、Issue)。英語の訳ではなく、意味から書いたもの。キーが英語と同じであることは
# テストが見ている。

## 見出し
watch-title-fire-alert = アラート: { $what }
watch-title-fire-ticket = チケット: { $what }
watch-title-resolve = 終了: { $what }
watch-title-folded = 発報し、すでに終了: { $what }
watch-title-remind = 期限切れ: { $what }
watch-title-escalate = 誰も引き受けていません: { $what }
watch-title-test = この通知先のテスト
watch-title-heartbeat = Koshu は正常です
watch-title-more = { $title } (ほか { $count } 件)

## 本文
watch-text-fire-alert = いま対応が必要です: { $condition }
watch-text-fire-ticket = 数日のうちに対応が必要です: { $condition }
watch-text-resolve = 終わりました: { $condition }
watch-text-folded = { $began } に始まり、{ $ended } に終わりました: { $condition }。その間はこの通知先に届かなかったため、まとめて知らせます。
watch-text-remind = 期限を過ぎています: { $condition }
watch-text-escalate = 誰もこのアラートを引き受けていません。対応をお願いします: { $condition }
watch-text-test = Koshu からの通知が届くかどうかを確かめています。下のリンクを開き、届いたと答えてください。答えがあってはじめて、この通知先に届くとみなします。
watch-text-heartbeat = 検証用のイベントが、受信、データレイク、ルール、送信待ちのすべてを通りました。

## サーバーの応答が途絶えたときにエージェントが知らせる文
watch-silent-condition = Koshu サーバー { $server } が { $host } のエージェントに応答しません ({ $why })
watch-silent-action = サーバーが動いているか、通信できるかを確認してください (サーバー上で koshu doctor)。復旧するまで、ほかの通知は一切届きません。

## ルールが見つけること
watch-detects-above = { $what }が { $limit }を超える
watch-detects-above-for = { $what }が { $hold }続けて { $limit }を超える
watch-detects-below = { $what }が { $limit }を下回る
watch-detects-below-for = { $what }が { $hold }続けて { $limit }を下回る
watch-detects-burn = { $service }の目標 { $objective } ({ $target } %) の予算の消費が速すぎる
watch-detects-no-data = { $what }のデータが { $after }以上ない
watch-detects-of = { $of }の { $signal }
watch-detects-query = クエリの値
watch-detects-query-of = { $of }のクエリの値
watch-of-route = { $name }
watch-of-each-route = 各ルート
watch-of-service = サービス { $name }
watch-of-each-service = 各サービス
watch-of-host = ホスト { $name }
watch-of-each-host = 各ホスト
watch-of-check = 外形監視 { $name }
watch-of-each-check = 各外形監視
watch-of-error-group = エラーのグループ { $name }
watch-of-each-error-group = エラーの各グループ
watch-of-heartbeat = ハートビート { $name }
watch-of-each-heartbeat = 各ハートビート
watch-of-process = プロセス { $name }
watch-of-each-process = 各プロセス
watch-of-objective = 目標 { $name }
watch-of-each-objective = 各目標

## 項目
watch-fact-action = 最初にすること
watch-fact-service = サービス
watch-fact-series = 対象
watch-fact-began = 開始
watch-fact-ended = 終了
watch-fact-value = 測定値
watch-fact-threshold = しきい値
watch-fact-owner = 担当
watch-fact-due = 期限
watch-fact-rule = ルール
watch-also = ほかに: { $what }

## リンク
watch-link-firing = 開く
watch-link-ack = 引き受ける
watch-link-runbook = 手順書
watch-link-test = 届いた

## 通知先について人がすること
watch-advice-address = 送り先がなくなっています。Webhook を作り直し、設定に書いてください。
watch-advice-secret = 認証情報が受け付けられません。有効なものを設定に書いてください。
watch-advice-permission = 認証情報は有効ですが、権限がありません。書き込む権限を与えてください。
watch-advice-content = サービスがこの内容を受け付けません。テンプレートを使っていれば見直し、そうでなければ不具合として報告してください。
watch-advice-size = 内容が大きすぎて、サービスが受け付けません。テンプレートを使っていれば短くしてください。
watch-advice-recipient = 宛先が受け付けられません。送り先のアドレスを確かめてください。
watch-advice-redirect = 送り先がリダイレクトを返しましたが、たどりません。最終的なアドレスを設定に書いてください。

## 月次の可用性
watch-report-title = { $service } の可用性 ({ $month })
watch-report-range = { $from } から { $to } まで ({ $zone })。
watch-report-target = 目標値: { $target } %。許される停止は { $allowed } 分。
watch-report-definition = 定義
watch-report-with = 作業も数える
watch-report-without = 作業を除く
watch-report-by-time = 時間: リクエストのあった分のうち、良好だった分
watch-report-by-requests = リクエスト: 全体のうち、良好だったもの
watch-report-by-users = 利用者: 使おうとした時間のうち、使えた時間 (分)
watch-report-no-data = データなし
watch-report-counts = { $all } のうち { $good }
watch-report-unknown = リクエストのなかった時間: { $minutes } 分。良好にも不良にも数えない。
watch-report-maintenance = 予告された作業: { $minutes } 分。
watch-report-disappointed = エラーに一度でも遭った利用者: { $users } 人のうち { $disappointed } 人。
watch-report-users-unknown = エラーに遭った利用者: 不明。利用者を見分けられなかったか、数えられなかった。
watch-report-incomplete = 一部しかわからない日: { $days }。この日のリクエストの一部またはすべてが、もう保存されていない (保存期間かディスクの予算による削除、またはファイルの破損)。誰に何があったかはわからない。`server.retention.requests: 62d` と十分な `server.disk` があれば、丸 1 か月が残る。
watch-report-days = { $first } から { $last }
watch-report-interval = 良好なリクエストの割合の 95 % 区間: { $low } % から { $high } % (互いに独立とみなした場合)。
watch-report-worst = 最も悪かった時間帯
watch-report-length = 長さ
watch-report-from = 開始
watch-report-share = 可用性
watch-report-requests = リクエスト
watch-report-how = 1 分間のリクエストの { $share } % 以上が良好なら、その 1 分は良好とする。利用者から見たサービスの状態は、直前のリクエストの結果が最長 { $cutoff } 続くものとする。割合はすべて切り捨て。
