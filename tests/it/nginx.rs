//! A real nginx: its logs are found by themselves, followed through logrotate, and counted right.

use e2e::{Client, Koshu, Place, missing, ran, tool, until};
use serde_json::json;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// An nginx of our own, on private ports and below a private prefix.
struct Nginx {
    master: Child,
    prefix: PathBuf,
    shop: u16,
    timed: u16,
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Nginx {
    /// Writes its configuration where nginx's own package has it, below the root in which koshu looks, and starts it.
    async fn start(place: &Place, program: &Path) -> Self {
        let prefix = place.path().join("nginx");
        std::fs::create_dir(&prefix).unwrap();
        let (shop, timed) = (free_port(), free_port());
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let at = prefix.display();
        let server = |port: u16, name: &str, log: &str| {
            format!(
                "server {{ listen 127.0.0.1:{port}; server_name {name}; access_log {at}/{log}; \
                 location /fail {{ return 500; }} location /missing {{ return 404; }} location / {{ return 200 ok; }} }}"
            )
        };
        let conf = format!(
            "{user} daemon off; worker_processes 2; pid {at}/nginx.pid; error_log {at}/error.log; events {{}}\n\
             http {{\n\
             log_format timed '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '\n\
             '\"$http_referer\" \"$http_user_agent\" $request_time';\n\
             client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
             uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n{}\n{}\n}}\n",
            server(shop, "shop.example", "shop.log"),
            server(timed, "timed.example", "timed.log timed"),
        );
        let folder = place.root().join("etc/nginx");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("nginx.conf");
        std::fs::write(&path, conf).unwrap();
        // Inside the root, the logs' absolute paths lead to the same files.
        let top = prefix.components().nth(1).unwrap();
        std::os::unix::fs::symlink(Path::new("/").join(top), place.root().join(top)).unwrap();

        let master = Command::new(program)
            .arg("-p")
            .arg(&prefix)
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { master, prefix, shop, timed };
        until(Duration::from_secs(10), "nginx answers", async || {
            let both = [nginx.shop, nginx.timed].map(|port| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
            (both == [true, true]).then_some(())
        })
        .await;
        nginx
    }

    fn log(&self, name: &str) -> PathBuf {
        self.prefix.join(name)
    }

    /// Requests one after another: of every ten one fails and one finds nothing.
    async fn requests(&self, port: u16, count: usize) {
        let client = Client::new(format!("http://127.0.0.1:{port}"), None);
        for at in 0..count {
            let (path, want) = match at % 10 {
                0 => ("/fail".to_owned(), 500),
                1 => ("/missing".to_owned(), 404),
                _ => (format!("/items/{at}?q=secret"), 200),
            };
            assert_eq!(client.get(&path).await.status, want);
        }
    }

    /// Rotates one log with the real logrotate.
    fn rotate(&self, program: &Path, name: &str, how: &str) {
        let conf = self.prefix.join(format!("{name}.logrotate"));
        let text = format!("{} {{\n size 1\n rotate 5\n nocompress\n missingok\n{how}\n}}\n", self.log(name).display());
        std::fs::write(&conf, text).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&conf, std::fs::Permissions::from_mode(0o600)).unwrap();
        let before = std::fs::metadata(self.log(&format!("{name}.1"))).is_ok();
        assert!(!before || std::fs::metadata(self.log(&format!("{name}.2"))).is_err(), "rotated at most twice");
        ran(Command::new(program).arg("--force").arg("--state").arg(self.prefix.join("state")).arg(&conf));
        assert!(self.log(&format!("{name}.1")).is_file(), "logrotate rotated");
    }

    fn rename_and_signal(&self) -> String {
        format!(
            " nocopytruncate\n create\n postrotate\n kill -USR1 $(cat {}/nginx.pid)\n endscript",
            self.prefix.display()
        )
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM to the master ends its workers too.
        let _ = rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.master),
            rustix::process::Signal::TERM,
        );
        let _ = self.master.wait();
    }
}

async fn wait_for(koshu: &Koshu, service: &str, count: i64) {
    let sql = format!("SELECT count(*) FROM requests WHERE service = '{service}'");
    until(Duration::from_secs(20), &format!("{service} has {count} requests"), async || {
        let found = koshu.client().number(&sql).await;
        assert!(found <= count, "{service} has {found} requests, and {count} were made");
        (found == count).then_some(())
    })
    .await;
}

/// As many as were made, by status; durations where the format has them.
async fn assert_counted(koshu: &Koshu, service: &str, batches: &[usize], timed: bool) {
    let made = |of: &dyn Fn(usize) -> bool| -> i64 {
        let count: usize = batches.iter().map(|count| (0..*count).filter(|at| of(at % 10)).count()).sum();
        i64::try_from(count).unwrap()
    };
    let sql = format!(
        "SELECT status, count(*), count(duration_us) FROM requests WHERE service = '{service}' GROUP BY 1 ORDER BY 1"
    );
    let want: Vec<_> = [(200, made(&|at| at > 1)), (404, made(&|at| at == 1)), (500, made(&|at| at == 0))]
        .map(|(status, count)| vec![json!(status), json!(count), json!(if timed { count } else { 0 })])
        .into();
    assert_eq!(koshu.client().sql(&sql).await, want, "{service} by status, and with a duration");
    let page = koshu.client().get(&format!("/api/v1/services/{service}/requests")).await.ok();
    assert_eq!(page["total"]["count"], json!(made(&|_| true)), "{page}");
    let secret = format!("SELECT count(*) FROM requests WHERE service = '{service}' AND path LIKE '%secret%'");
    assert_eq!(koshu.client().number(&secret).await, 0, "query strings are not kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_of_a_real_nginx_are_found_followed_through_logrotate_and_counted_right() {
    let (Some(program), Some(logrotate)) = (tool("nginx"), tool("logrotate")) else { return };
    let place = Place::new();
    if place.path().components().count() < 3 {
        missing("the folder for temporary files is the root");
        return;
    }
    let nginx = Nginx::start(&place, &program).await;
    // The past: there before koshu is.
    nginx.requests(nginx.shop, 30).await;

    let koshu = place.start().await;
    for (log, service) in [("shop.log", "shop"), ("timed.log", "timed")] {
        let path = nginx.log(log).display().to_string();
        until(Duration::from_secs(20), "the log is found and followed", async || {
            let sources = koshu.client().get("/api/v1/sources").await.ok();
            let found = sources["discovered"].as_array()?.iter().find(|found| found["path"] == *path)?.clone();
            assert_eq!(found["service_suggestion"], *service, "{found}");
            assert_eq!(found["found_by"], "nginx configuration", "{found}");
            (found["following"] == true).then_some(())
        })
        .await;
    }

    nginx.requests(nginx.shop, 100).await;
    nginx.requests(nginx.timed, 100).await;
    wait_for(&koshu, "shop", 100).await;
    wait_for(&koshu, "timed", 100).await;

    // Renamed, with a signal to nginx, while requests go on; and at once again, before the rest was read.
    let both = async {
        tokio::join!(nginx.requests(nginx.shop, 100), async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            nginx.rotate(&logrotate, "shop.log", &nginx.rename_and_signal());
        })
    };
    both.await;
    nginx.requests(nginx.shop, 50).await;
    wait_for(&koshu, "shop", 250).await;

    // Copied and truncated, before the last lines were read; lines go on in the same file.
    nginx.requests(nginx.timed, 100).await;
    nginx.rotate(&logrotate, "timed.log", " copytruncate");
    nginx.requests(nginx.timed, 50).await;
    wait_for(&koshu, "timed", 250).await;

    assert_counted(&koshu, "shop", &[100, 100, 50], false).await;
    assert_counted(&koshu, "timed", &[100, 100, 50], true).await;

    // A restart counts nothing twice, and misses nothing that was written meanwhile.
    koshu.stop();
    nginx.requests(nginx.timed, 20).await;
    let koshu = place.start().await;
    nginx.requests(nginx.timed, 10).await;
    wait_for(&koshu, "timed", 280).await;

    // The past is imported on request, the followed lines in the same files stay counted once.
    let path = nginx.log("shop.log").display().to_string();
    let body = json!({"path": path, "service": "shop", "import_past": true});
    let asked = koshu.client().post("/api/v1/sources/follow", &body).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    wait_for(&koshu, "shop", 280).await;
    until(Duration::from_secs(20), "the imports are done", async || {
        let imports = koshu.client().get("/api/v1/imports").await.ok();
        let imports = imports["imports"].as_array()?.clone();
        assert!(imports.iter().all(|import| import["state"] != "failed"), "{imports:?}");
        (!imports.is_empty() && imports.iter().all(|import| import["state"] == "done")).then_some(())
    })
    .await;
    assert_counted(&koshu, "shop", &[30, 100, 100, 50], false).await;
    assert_counted(&koshu, "timed", &[100, 100, 50, 20, 10], true).await;
}
