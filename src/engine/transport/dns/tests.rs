//! Checks what is taken for an answer, and where questions may go.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, CNAME};
use proptest::prelude::*;

use super::*;

fn question(name: &str) -> Question {
    Question::new(name, RecordType::A).unwrap()
}

/// Answers a question with an address, changed by `change`.
fn answered(question: &Question, change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut message = Message::from_vec(&question.bytes).unwrap().into_response();
    message.metadata.message_type = MessageType::Response;
    let record = |name: Name| Record::from_rdata(name, 60, RData::A(A::new(127, 0, 0, 2)));
    message.add_answer(record(question.query.name.clone()));
    change(&mut message);
    message.to_vec().unwrap()
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

#[test]
fn only_the_answer_to_the_question_is_taken() {
    let asked = question("a.example");
    let seen = |change: fn(&mut Message)| match asked.look(&answered(&asked, change)) {
        Ok(Seen::Whole(_)) => "whole",
        Ok(Seen::Cut) => "cut",
        Ok(Seen::Foreign) => "foreign",
        Err(_) => "undecodable",
    };
    assert_eq!(seen(|_| {}), "whole");
    assert_eq!(seen(|m| m.queries[0].name = name("A.Example.")), "whole");
    assert_eq!(seen(|m| m.metadata.id = m.metadata.id.wrapping_add(1)), "foreign");
    assert_eq!(seen(|m| m.metadata.message_type = MessageType::Query), "foreign");
    assert_eq!(seen(|m| m.queries[0].name = name("b.example.")), "foreign");
    assert_eq!(seen(|m| m.queries[0].query_type = WireType::TXT), "foreign");
    assert_eq!(seen(|m| m.metadata.truncation = true), "cut");
    let unasked = |m: &mut Message, code| {
        m.queries.clear();
        m.answers.clear();
        m.metadata.response_code = code;
    };
    // A server that cannot read the question cannot repeat it; one that found something can.
    let bare = |code| match asked.look(&answered(&asked, |m| unasked(m, code))) {
        Ok(Seen::Whole(message)) => Some(asked.reply(&message).status),
        _ => None,
    };
    assert_eq!(bare(ResponseCode::FormErr), Some(1));
    assert_eq!(bare(ResponseCode::Refused), Some(5));
    assert_eq!(bare(ResponseCode::NoError), None);
    assert_eq!(bare(ResponseCode::NXDomain), None);
}

#[test]
fn records_count_where_the_name_or_its_alias_has_them() {
    let asked = question("a.example");
    let records = |change: &dyn Fn(&mut Message)| {
        let bytes = answered(&asked, |message| {
            message.answers.clear();
            change(message);
        });
        let Ok(Seen::Whole(message)) = asked.look(&bytes) else {
            panic!("it is the answer");
        };
        asked.reply(&message).resources().unwrap().len()
    };
    let address = |owner: &str| Record::from_rdata(name(owner), 60, RData::A(A::new(192, 0, 2, 1)));
    let alias =
        |owner: &str, target: &str| Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))));
    assert_eq!(records(&|_| {}), 0);
    assert_eq!(
        records(&|m| {
            m.add_answer(address("A.example."));
            m.add_answer(address("other.example."));
        }),
        1,
        "another name's records are none of this one"
    );
    assert_eq!(
        records(&|m| {
            m.add_answer(address("c.example."));
            m.add_answer(alias("b.example.", "c.example."));
            m.add_answer(alias("a.example.", "b.example."));
        }),
        1,
        "in whatever order they stand"
    );
    assert_eq!(
        records(&|m| {
            m.add_answer(alias("a.example.", "b.example."));
            m.add_answer(alias("b.example.", "a.example."));
        }),
        0,
        "a circle ends"
    );
    let many = records(&|m| {
        for _ in 0..2 * MAX_RECORDS {
            m.add_answer(address("a.example."));
        }
    });
    assert_eq!(many, MAX_RECORDS);
}

#[test]
fn what_is_no_name_is_not_asked_and_not_told() {
    for bad in [
        format!("{}.example", "k".repeat(64)),
        format!("{}example", "secret.".repeat(40)),
        "secret..example".to_owned(),
    ] {
        match Question::new(&bad, RecordType::A) {
            Err(AttemptError::Unsigned(error)) => assert!(!error.to_string().contains("secret")),
            _ => panic!("{bad}"),
        }
    }
}

#[test]
fn the_machine_s_resolvers_are_read_in_their_order() {
    let text = "# comment\nsearch example.com\nnameserver 192.0.2.53\n  nameserver\t2001:db8::53 # near\n\
                nameserver fe80::1%eth0\nnameserver 0.0.0.0\nnameserver resolver.example\nnameservers 192.0.2.54\n";
    let read: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
    assert_eq!(read, ["192.0.2.53:53", "[2001:db8::53]:53"]);
    assert_eq!(servers("options edns0")[0].to_string(), "127.0.0.1:53");
}

#[test]
fn a_resolver_may_stand_at_a_private_address_and_never_at_a_link_local_one() {
    for base in [
        "dns:system",
        "dns://10.0.0.53",
        "dns://127.0.0.53",
        "dns://198.51.100.53",
        "dns://[fd12::53]",
    ] {
        assert!(Resolvers::new(base).is_ok(), "{base}");
    }
    for base in [
        "dns://169.254.169.254",
        "dns://[fe80::1]",
        "dns://0.0.0.0",
        "dns://224.0.0.251",
        "dns://[fd00:ec2::254]",
    ] {
        let fault = Resolvers::new(base).unwrap_err();
        assert!(fault.contains("may not have"), "{base}: {fault}");
    }
}

proptest! {
    #[test]
    fn no_message_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>()) {
        let asked = question("a.example");
        let own = [&asked.id.to_be_bytes()[..], &[0x84, 0], &bytes].concat();
        let mut damaged = answered(&asked, |_| {});
        let place = at.index(damaged.len());
        damaged[place] ^= 0xff;
        for message in [bytes, own, damaged] {
            if let Ok(Seen::Whole(message)) = asked.look(&message) {
                let _ = asked.reply(&message);
            }
        }
    }
}
