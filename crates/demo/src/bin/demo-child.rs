//! The demonstration's child processes as a binary of their own, for tests and for trying the demonstration alone.
//!
//! `demo-child demo-child <role>` plays a role; `demo-child run DIR [SECONDS]` runs the whole demonstration.

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((command, role)) if command == demo::CHILD_COMMAND => demo::run_child(role),
        Some((command, rest)) if command == "run" => match run(rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("use: demo-child run DIR [SECONDS]");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let dir = args.first().ok_or("a folder is needed")?;
    let seconds: u64 = args.get(1).map_or(Ok(600), |s| s.parse())?;
    let mut options = demo::DemoOptions::new(dir.into(), std::env::current_exe()?);
    options.on_change = std::sync::Arc::new(|change| println!("change {} {}", change.at, change.title));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let demo = demo::Demo::start(options).await?;
        println!("ready http://127.0.0.1:{} {}", demo.port(), demo.access_log().display());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        demo.stop().await;
        Ok(())
    })
}
