//! Hosts and the tokens that speak for them.

use super::Fixture;
use crate::{Claim, Host, Scope};

#[tokio::test]
async fn a_token_speaks_for_one_host_and_a_host_hears_one_token() {
    for fixture in Fixture::all().await {
        let (hosts, tokens) = (fixture.store.hosts(), fixture.store.tokens());
        let (_, first) = tokens.create("web-1", Scope::Agent).await.unwrap();
        let (_, second) = tokens.create("web-2", Scope::Agent).await.unwrap();
        let Claim::Bound(host) = hosts.claim("web-1", first.id).await.unwrap() else { panic!("it was free") };
        assert_eq!((host.name.as_str(), host.first_seen), ("web-1", fixture.clock.now()));
        assert_eq!(hosts.claim("web-1", second.id).await.unwrap(), Claim::Taken);
        assert_eq!(hosts.claim("web-9", first.id).await.unwrap(), Claim::SpeaksFor("web-1".into()));
        assert!(matches!(hosts.claim("web-1", first.id).await.unwrap(), Claim::Bound(_)), "and again");

        fixture.pass_seconds(60);
        let now = fixture.clock.now();
        let told = Host { version: "0.1.0".into(), reach: Some("10.0.0.5:22".into()), last_seen: now, ..host.clone() };
        hosts.heard(std::slice::from_ref(&told)).await.unwrap();
        hosts.heard(&[Host { last_seen: host.first_seen, ..host.clone() }]).await.unwrap();
        assert_eq!(hosts.list().await.unwrap(), [told], "what is older changes nothing");

        // Whoever loses a token deletes it and makes another.
        tokens.delete(first.id).await.unwrap();
        let Claim::Bound(host) = hosts.claim("web-1", second.id).await.unwrap() else { panic!("its token is gone") };
        assert_eq!((host.token, host.reach.as_deref()), (second.id, Some("10.0.0.5:22")));
        assert!(hosts.forget("web-1").await.unwrap() && !hosts.forget("web-1").await.unwrap());
        assert!(matches!(hosts.claim("web-2", second.id).await.unwrap(), Claim::Bound(_)), "free for another host");
    }
}
