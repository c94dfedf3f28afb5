//! The options of `begreb mox`, as their user meets them.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use common::Folder;
use serde_json::Value;

#[test]
fn what_no_broker_can_be_reached_with_is_told_at_once() {
    let f = Folder::new("options");
    std::fs::write(f.0.join("two"), "a\nb\n").expect("a file");
    let here = ["mox", "--amqp", "amqp://localhost"];
    let cases: [(&[&str], &str); 11] = [
        (&["mox"], "which broker is not said"),
        (&["mox", "--amqp", "localhost"], "that is not the address of a broker"),
        (&["mox", "--amqp", "amqp://mq.example.dk"], "amqp:// to another machine is without TLS"),
        (&["mox", "--amqp", "amqp://a:b@localhost"], "a password does not stand in the address"),
        (&["mox", "--amqp", "amqp://a@localhost"], "there is a user name and no password"),
        (&["mox", "--amqp", "amqp://a@localhost", "--amqp-password-file", "two"], "does not hold one password"),
        (&[&here[..], &["--amqp-exchange-type", "rund"]].concat(), "that is not a type of exchange"),
        (&[&here[..], &["--amqp-unroutable", "wait"]].concat(), "a message is either held or dropped"),
        (&[&here[..], &["--amqp-routing-key", "{slug}"]].concat(), "that is not a routing key"),
        (&[&here[..], &["--amqp-name", ""]].concat(), "a name has 1 to 255 bytes"),
        (&[&here[..], &["--amqp-ca", "two"]].concat(), "that is not a certificate"),
    ];
    for (arguments, why) in cases {
        let output = f.run(arguments);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(why), "{arguments:?}: {err}");
        let output = f.run(&[arguments, &["--json"]].concat());
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(told["code"], "invalid-parameter", "{told}");
    }
    // With a password all is well, up to the database that is not there.
    let output = f.begreb(&["mox", "--amqp", "amqp://a@localhost"]).env("BEGREB_AMQP_PASSWORD", "hemmelig").output();
    let output = output.expect("begreb runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("there is no database there") && !err.contains("hemmelig"), "{err}");
}
