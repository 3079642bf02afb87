//! Starts what Koshu fetches itself, as the configuration says it.

use crate::config::{Config, ObjectPlace, ObjectsSection, ScrapeSection};
use anyhow::{Context, Result, anyhow};
use base::ServiceName;
use server::parts::Parts;
use server::pull::objects::{self, Picking, Pickup, Place, S3};
use server::pull::scrape::{self, Job, Scraping};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts scraping and picking up log files.
pub fn start(config: &Config, parts: &Parts, tasks: &TaskTracker, stop: &CancellationToken) -> Result<()> {
    let scraping =
        Scraping { intake: parts.intake.clone(), sources: parts.sources.clone(), clock: parts.clock.clone() };
    let jobs = config.scrape.iter().cloned().map(job).collect();
    scrape::start(jobs, &scraping, tasks, stop).map_err(|error| anyhow!(error)).context("section `scrape`")?;
    let picking = Picking {
        intake: parts.intake.clone(),
        past: parts.follow.past(),
        sources: parts.sources.clone(),
        clock: parts.clock.clone(),
        dir: parts.about.dir.clone(),
    };
    let mut pickups = Vec::new();
    for (service, section) in &config.services {
        for objects in &section.objects {
            pickups.push(pickup(service, objects).with_context(|| format!("`objects` of service {service}"))?);
        }
    }
    objects::start(pickups, &picking, tasks, stop).map_err(|error| anyhow!(error)).context("`objects` of a service")
}

fn job(section: ScrapeSection) -> Job {
    Job {
        name: section.job,
        every: section.every,
        timeout: section.timeout,
        targets: section.targets,
        labels: section.labels.into_iter().collect(),
        service: section.service,
        token: section.token,
    }
}

fn pickup(service: &ServiceName, section: &ObjectsSection) -> Result<Pickup> {
    let place = match &section.from {
        ObjectPlace::Folder(path) => Place::Folder(path.clone()),
        ObjectPlace::S3 { bucket, prefix } => Place::S3(S3 {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
            region: section.region.clone(),
            endpoint: section.endpoint.clone(),
            access_key_id: section.access_key_id.clone(),
            secret_access_key: section.secret_access_key.clone(),
        }),
    };
    let format = section.format.as_deref().map(str::parse).transpose()?;
    Ok(Pickup { service: service.clone(), place, every: section.every, since: section.since, format })
}
