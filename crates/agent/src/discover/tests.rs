use super::*;
use std::fs;

fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn log<'a>(found: &'a Discovery, path: &str) -> &'a FoundLog {
    found.logs.iter().find(|log| log.path == Path::new(path)).unwrap_or_else(|| panic!("{path} in {found:#?}"))
}

#[test]
fn what_nginx_is_configured_to_write_is_found() {
    let root = machine(&[
        (
            "etc/nginx/nginx.conf",
            r#"user www-data; # a comment; with { braces
            http {
                log_format timed escape=default '$remote_addr [$time_local] "$request" '
                    '$status $body_bytes_sent $request_time';
                access_log /var/log/nginx/access.log;
                map $status $loggable { ~^[23] 0; default 1; }
                include /etc/nginx/sites-enabled/*;
                include conf.d/*.conf;
            }"#,
        ),
        (
            "etc/nginx/sites-enabled/shop",
            r#"server { listen 80; location /x { access_log off; }
               access_log "/srv/logs/shop.log" timed buffer=32k if=$loggable; server_name _ shop.example.com *.x; }
               server { server_name api.example.com; access_log syslog:server=unix:/dev/log timed;
               access_log /var/log/nginx/$host.log; access_log /dev/stdout; access_log logs/rel.log;
               access_log /srv/z.gz combined gzip=5; access_log /srv/missing.log; }"#,
        ),
        ("etc/nginx/conf.d/loop.conf", "include conf.d/loop.conf; include /etc/nginx/nginx.conf;"),
        ("var/log/nginx/access.log", "x\n"),
        ("var/log/nginx/access.log.1", "x\n"),
        ("var/log/nginx/access.log.2.gz", "x"),
        ("var/log/nginx/error.log", "x\n"),
        ("var/log/nginx/blog.access.log", "xyz\n"),
        ("srv/logs/shop.log", "x\n"),
    ]);
    let found = discover(root.path());
    let paths: Vec<_> = found.logs.iter().map(|log| log.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["/srv/logs/shop.log", "/var/log/nginx/access.log", "/var/log/nginx/blog.access.log"]);
    let shop = log(&found, "/srv/logs/shop.log");
    assert_eq!((shop.service.as_str(), shop.found_by), ("shop", "nginx configuration"));
    let (syntax, format) = shop.log_format.clone().unwrap();
    assert_eq!(format, r#"$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time"#);
    assert!(log_format_to_pattern(syntax, &format).is_ok());
    let main = log(&found, "/var/log/nginx/access.log");
    assert_eq!(main.service.as_str(), "nginx");
    assert_eq!(main.log_format.as_ref().unwrap().1, nginx::COMBINED);
    assert_eq!(main.older_files.len(), 2);
    assert_eq!(main.unreadable, None);
    let blog = log(&found, "/var/log/nginx/blog.access.log");
    assert_eq!((blog.service.as_str(), blog.found_by, blog.size), ("blog", "well-known folder", ByteSize(4)));
    let skipped: Vec<_> = found.skipped.iter().map(|log| log.target.as_str()).collect();
    assert_eq!(skipped, ["syslog:server=unix:/dev/log", "/var/log/nginx/$host.log", "logs/rel.log", "/srv/z.gz"]);
    assert!(!found.partial);
}

#[test]
fn what_apache_is_configured_to_write_is_found() {
    let root = machine(&[
        (
            "etc/apache2/envvars",
            "unset HOME\nif [ x ]; then SUFFIX=; fi\nexport APACHE_LOG_DIR=/var/log/apache2$SUFFIX\n",
        ),
        (
            "etc/apache2/apache2.conf",
            "# comment\nDefine EXTRA /srv/extra\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %O %D\" timed\n\
             IncludeOptional sites-enabled/*.conf\nCustomLog ${EXTRA}/all.log \\\n  timed\n",
        ),
        (
            "etc/apache2/sites-enabled/shop.conf",
            "<VirtualHost *:80>\n CustomLog ${APACHE_LOG_DIR}/shop_access.log timed\n\
             ServerName https://www.shop.example:443\n CustomLog \"|/usr/bin/rotatelogs x\" timed\n\
             CustomLog ${UNKNOWN}/x.log timed\n CustomLog logs/plain.log \"%t %r %s\"\n</VirtualHost>\n",
        ),
        ("var/log/apache2/shop_access.log", "x\n"),
        ("srv/extra/all.log", "x\n"),
        ("etc/apache2/logs/plain.log", "x\n"),
    ]);
    let found = discover(root.path());
    let shop = log(&found, "/var/log/apache2/shop_access.log");
    assert_eq!((shop.service.as_str(), shop.found_by), ("shop", "Apache configuration"));
    assert_eq!(shop.log_format, Some((Syntax::Apache, r#"%h %l %u %t "%r" %>s %O %D"#.to_owned())));
    assert_eq!(log(&found, "/srv/extra/all.log").service.as_str(), "all");
    assert_eq!(log(&found, "/etc/apache2/logs/plain.log").log_format.as_ref().unwrap().1, "%t %r %s");
    let skipped: Vec<_> = found.skipped.iter().map(|log| log.target.as_str()).collect();
    assert_eq!(skipped, ["|/usr/bin/rotatelogs x", "${UNKNOWN}/x.log"]);
}

#[test]
fn a_hostile_configuration_ends() {
    let deep = "http {".repeat(100_000);
    let many: String = "access_log /srv/one.log;".repeat(2000);
    for (case, text) in [
        ("nesting", deep.as_str()),
        ("unclosed quote", "access_log \"/x"),
        ("half a variable", "log_format x ${; access_log $"),
        ("only closing", "}}}}"),
        ("many logs", many.as_str()),
    ] {
        let root = machine(&[("etc/nginx/nginx.conf", text), ("etc/apache2/apache2.conf", text)]);
        let found = discover(root.path());
        assert_eq!(found.logs.len(), 0, "{case}");
        assert_eq!(found.partial, case == "many logs", "{case}");
    }
}
