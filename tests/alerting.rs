//! Promises 1, 2 and 4, by the built program on loopback: nothing is lost, nothing is sent twice needlessly, and a
//! first poll alerts nothing.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use tokio::time::sleep;

use crate::support::stage::{CUTS, Stage, UNDER_WAY_MAX, matter, moment, told_once};

/// Rounds of the kill test, unless `HARMATTAN_KILLS` says another number.
const KILLS: usize = 30;

#[tokio::test]
async fn a_baseline_is_silent_and_a_new_item_is_told_once() {
    let stage = Stage::set().await;
    let daemon = stage.run();
    // The second request is made when the first poll is stored.
    stage.stream.asked(2).await;
    assert_eq!((stage.called().len(), stage.mailed().len()), (0, 0), "a baseline alerted");

    let published = Instant::now();
    stage.stream.publish(1);
    stage.hook.wait_for(1).await;
    stage.mailbox.wait_for(1).await;
    eprintln!(
        "told {} ms after publication, of which up to 100 ms are the interval",
        published.elapsed().as_millis()
    );
    stage.stream.asked(3).await;
    assert!(daemon.terminate().success(), "SIGTERM ends it in good order");

    let daemon = stage.run();
    stage.stream.asked(20).await;
    assert!(daemon.terminate().success());
    let once = |told: Vec<(u64, String)>| told.iter().map(|(number, _)| *number).collect::<Vec<_>>();
    assert_eq!((once(stage.called()), once(stage.mailed())), (vec![31], vec![31]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i14_a_kill_at_any_moment_loses_nothing_and_doubles_only_what_was_under_way() {
    let stage = Stage::flaky().await;
    let kills =
        std::env::var_os("HARMATTAN_KILLS").and_then(|count| count.to_str()?.parse().ok()).unwrap_or(KILLS);
    let seed = RandomState::new().hash_one(0);
    eprintln!("seed {seed}");
    let daemon = stage.run();
    stage.stream.asked(2).await;
    stage.stream.flow(true);
    stage.stream.asked(1).await;
    daemon.kill();
    for round in 0..kills {
        let daemon = stage.run();
        // A random moment is what is tested, so it is waited for: in start-up, or after polls began.
        if round % 3 > 0 {
            stage.stream.asked(1).await;
        }
        sleep(moment(seed, round)).await;
        daemon.kill();
    }
    stage.stream.flow(false);
    let expected = matter(31, stage.stream.newest());
    eprintln!("{kills} kills, {} items that matter", expected.len());
    let daemon = stage.run();
    stage.told_of(&expected).await;
    stage.stream.asked(5).await;
    assert!(daemon.terminate().success());

    told_once(&stage, &expected, kills * UNDER_WAY_MAX + CUTS);
}
