//! Crashes: what was acknowledged is there exactly once, whatever the moment.

use crate::support::*;
use base::ByteSize;
use lake::{Append, Lake, LakeOptions};
use signal::Table;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[tokio::test]
async fn a_segment_that_was_sealed_before_the_crash_is_not_stored_twice() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..20, TODAY)).await;
    append(&lake, requests("shop", 20..40, TODAY)).await;
    let segment = segments(dir.path()).remove(0);
    let bytes = std::fs::read(&segment).unwrap();
    lake.close().await;
    drop(lake);
    assert!(!segment.exists(), "closing seals");
    // The crash came after the commits and before the file was removed.
    std::fs::write(&segment, &bytes).unwrap();
    let lake = open(dir.path()).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..40));
    append(&lake, requests("shop", 40..50, TODAY)).await;
    lake.close().await;
    drop(lake);
    let lake = open(dir.path()).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..50));
    assert!(segments(dir.path()).is_empty());
}

#[tokio::test]
async fn a_crash_between_the_commits_of_two_tables_completes_the_second() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..40, TODAY)).await;
    let before = image(dir.path());
    lake.close().await;
    drop(lake);
    // The requests as they were after sealing, the roll-ups as before.
    std::fs::remove_dir_all(before.path().join("lake/requests")).unwrap();
    let after = image(dir.path());
    std::fs::rename(after.path().join("lake/requests"), before.path().join("lake/requests")).unwrap();
    let lake = open(before.path()).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..40), "before sealing again");
    lake.seal_now().await.unwrap();
    assert_eq!(stored(&lake).await, ids("shop", 0..40), "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn images_taken_under_load_hold_every_acknowledged_row_once() {
    let dir = tempfile::tempdir().unwrap();
    let busy = LakeOptions { seal_bytes: ByteSize(1), ..options(dir.path()) };
    let lake = Lake::open(busy).await.unwrap();
    // Senders go on up to a goal that moves with each image.
    let goal = Arc::new(AtomicI64::new(0));
    let acked: Vec<Arc<AtomicI64>> = (0..4).map(|_| Arc::new(AtomicI64::new(0))).collect();
    let send = |(sender, acked): (usize, &Arc<AtomicI64>)| {
        let (lake, goal, acked) = (Arc::clone(&lake), Arc::clone(&goal), Arc::clone(acked));
        tokio::spawn(async move {
            while goal.load(Ordering::SeqCst) < i64::MAX {
                let id = acked.load(Ordering::SeqCst);
                if id >= goal.load(Ordering::SeqCst) {
                    pause().await;
                    continue;
                }
                let rows = vec![(Table::Requests, requests(&format!("s{sender}"), id..id + 10, TODAY))];
                let marks = vec![(format!("s{sender}"), (id + 10).to_string())];
                lake.append(Append { rows, marks }).await.unwrap();
                acked.store(id + 10, Ordering::SeqCst);
            }
        })
    };
    let senders: Vec<_> = acked.iter().enumerate().map(send).collect();
    for round in 0..5 {
        let floor = goal.fetch_add(200, Ordering::SeqCst) + 100;
        while acked.iter().any(|acked| acked.load(Ordering::SeqCst) < floor) {
            assert!(!senders.iter().any(tokio::task::JoinHandle::is_finished), "a sender failed");
            pause().await;
        }
        if round % 3 == 2 {
            lake.compact(true).await.unwrap();
        }
        let sure: Vec<i64> = acked.iter().map(|acked| acked.load(Ordering::SeqCst)).collect();
        let copy = image(dir.path());
        let reopened = open(copy.path()).await;
        let found = stored(&reopened).await;
        assert_eq!(reopened.damage(), [], "image {round}");
        let unique: HashSet<&String> = found.iter().collect();
        assert_eq!(unique.len(), found.len(), "image {round}: rows are there twice");
        for (sender, &sure) in sure.iter().enumerate() {
            let service = format!("s{sender}");
            assert!(
                ids(&service, 0..sure).iter().all(|id| unique.contains(id)),
                "image {round} lost rows of {service}"
            );
            let mark: i64 = reopened.mark(&service).unwrap().parse().unwrap();
            let rows = found.iter().filter(|id| id.starts_with(&format!("{service}-"))).count();
            assert_eq!(i64::try_from(rows).unwrap(), mark, "image {round}: a mark says how many rows there are");
        }
        reopened.close().await;
    }
    goal.store(i64::MAX, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    lake.close().await;
}

#[tokio::test]
async fn a_last_frame_cut_at_any_byte_costs_nothing_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..3, TODAY)).await;
    let segment = segments(dir.path()).remove(0);
    let before = std::fs::metadata(&segment).unwrap().len();
    append(&lake, requests("shop", 3..4, TODAY)).await;
    let copy = image(dir.path());
    let segment = copy.path().join(segment.strip_prefix(dir.path()).unwrap());
    let whole = std::fs::read(&segment).unwrap();
    let frame = usize::try_from(before).unwrap()..whole.len();
    // Opening a lake takes a while: every byte near the frame's edges, and a stride between.
    let cuts = frame.clone().filter(|cut| cut - frame.start < 40 || frame.end - cut < 24 || cut % 1021 == 0);
    for cut in cuts {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("journal")).unwrap();
        std::fs::write(dir.path().join("journal").join(segment.file_name().unwrap()), &whole[..cut]).unwrap();
        let lake = open(dir.path()).await;
        assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 3, "cut at {cut}");
        assert!(lake.damage().is_empty(), "cut at {cut}: an unfinished append is no damage");
        append(&lake, requests("shop", 3..4, TODAY)).await;
        assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 4, "cut at {cut}: it goes on");
    }
}

#[tokio::test]
async fn flipped_bytes_in_the_journal_are_named_and_the_rest_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    let mut ends = vec![32];
    for id in 0..3 {
        append(&lake, requests("shop", id..id + 1, TODAY)).await;
        ends.push(std::fs::metadata(segments(dir.path()).remove(0)).unwrap().len());
    }
    let name = segments(dir.path()).remove(0).file_name().unwrap().to_owned();
    let whole = std::fs::read(dir.path().join("journal").join(&name)).unwrap();
    for (flip, lost) in [
        (3, None),
        (9, None),
        (30, None),
        (33, Some(0)),
        (ends[1] + 5, Some(1)),
        (ends[1] + 700, Some(1)),
        (ends[3] - 1, Some(2)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        bytes[usize::try_from(flip).unwrap()] ^= 0x10;
        std::fs::create_dir_all(dir.path().join("journal")).unwrap();
        std::fs::write(dir.path().join("journal").join(&name), &bytes).unwrap();
        let lake = open(dir.path()).await;
        let mut want = ids("shop", 0..3);
        want.retain(|id| lost.is_none_or(|lost| *id != format!("shop-{lost}")));
        assert_eq!(stored(&lake).await, want, "flip at {flip}");
        let damage = lake.damage();
        assert_eq!(damage.len(), 1, "flip at {flip}: {damage:?}");
        assert!(damage[0].range.contains(&flip), "flip at {flip}: {damage:?}");
        assert!(damage[0].file.ends_with(name.to_str().unwrap()));
        lake.close().await;
        drop(lake);
        assert_eq!(stored(&*open(dir.path()).await).await, want, "flip at {flip}, sealed and reopened");
        let kept: Vec<_> = files(&dir.path().join("journal"))
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ext| ext == "damaged"))
            .collect();
        assert_eq!(std::fs::read(&kept[0]).unwrap(), bytes, "the damaged bytes are kept for a later look");
    }
}

#[tokio::test]
async fn a_journal_larger_than_memory_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..5000, TODAY)).await;
    let copy = image(dir.path());
    let small = LakeOptions { memory: ByteSize(1 << 20), ..options(copy.path()) };
    let lake = Lake::open(small).await.unwrap();
    assert!(lake.status().unsealed_bytes < 512 << 10, "sealed on the way in");
    assert_eq!(stored(&lake).await, ids("shop", 0..5000));
}
