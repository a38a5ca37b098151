//! Tests what commands say of spending, with and without a server.

use crate::place::both_ways;

#[test]
fn who_spent_what_is_told_in_every_format() {
    both_ways(|place| {
        let long_ago = ["spend", "--from", "2020-01", "--to", "2020-01"];
        assert!(place.good(&long_ago).contains("nothing was spent"));
        for _ in 0..2 {
            place.good(&["run", "domaintools.ip-history", "example.com"]);
        }
        for width in ["80", "140"] {
            let output = place.command(&["spend"]).env("COLUMNS", width).output().unwrap();
            let table = String::from_utf8(output.stdout).unwrap();
            assert!(
                table.contains("terminal") && table.contains("domaintools"),
                "{table}"
            );
            assert!(
                table.contains("Saved by the cache") && table.contains("1 call"),
                "{table}"
            );
            let width: usize = width.parse().unwrap();
            assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
        }
        let json = place.json(&[
            "spend",
            "--by",
            "client",
            "--bucket",
            "day",
            "--format",
            "json",
            "--where",
            "client=terminal",
        ]);
        assert_eq!(json["total"]["settled"]["calls"], 1);
        assert_eq!(json["rows"][0]["group"]["client"], "terminal");
        let filtered = ["spend", "--where", "provider=virustotal", "--format", "json"];
        assert_eq!(place.json(&filtered)["total"]["settled"]["calls"], 0);
        // A server asks for the accounts of its keys when it starts.
        let csv = place.good(&[
            "spend",
            "--format",
            "csv",
            "--by",
            "client",
            "--where",
            "client=terminal",
        ]);
        assert!(
            csv.starts_with("client,unit,reserved,settled,refunded,avoided,refused\nterminal,calls,"),
            "{csv}"
        );
        let who = place.good(&["spend", "who", "--provider", "domaintools"]);
        assert!(who.contains("terminal") && who.contains("used"), "{who}");
        let report = place.good(&["spend", "report", "--month", "this", "--tenant", "default"]);
        assert!(
            report.starts_with(
                "from,to,tenant,client,token,provider,account,product,unit,amount,saved_by_cache"
            ),
            "{report}"
        );
        assert!(report.contains(",default,terminal,,domaintools,"), "{report}");
        let none = place.good(&["spend", "report", "--month", "last"]);
        assert_eq!(none.lines().count(), 1, "{none}");
        let told = place.good(&["spend", "reconcile"]);
        assert!(told.contains("domaintools"), "{told}");
        for (wrong, said) in [
            (&["spend", "--bucket", "year"][..], "bucket: "),
            (&["spend", "--where", "colour=red"], "--where"),
            (&["spend", "who", "--provider", "nobody"], "provider: "),
        ] {
            let error = place.bad(wrong);
            assert!(error.contains(said), "{error}");
        }
    });
}
