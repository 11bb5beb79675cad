//! Usage: the filter, what is shown of it, files, and the part on a machine's page.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, ADMIN_SOUTH};
use super::fake::handling::LOOKER;
use super::fake::usage::{Scene, Usages};
use super::fake::{Browser, SCRIPT, SESSION_GERMAN, SESSION_VIEWER};

fn seeing(session: &'static str, scene: Scene) -> Browser {
    Browser::new(Some(session)).using(&Usages::with(scene))
}

async fn page(path: &str) -> String {
    let answer = seeing(ADMIN, Scene::Busy).get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for path in ["/usage", "/reverse", "/machine/n-1/usage", "/usage?site=south"] {
        for session in [ADMIN, ADMIN_GERMAN] {
            let answer = seeing(session, Scene::Busy).get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.text.contains(SCRIPT) && !answer.text.contains("style=\""), "{path}");
            assert!(!answer.text.contains("://"), "{path} names another host");
            let own = answer.text.matches("<script src=\"/assets/").count();
            assert_eq!(answer.text.matches("<script").count(), own, "{path}");
        }
    }
    assert!(page("/usage").await.contains("alert("), "the name is shown");
    let wrong = seeing(ADMIN, Scene::Busy).get("/usage?span=%3Cscript%3Ealert('x')%3C/script%3E").await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.text.contains(SCRIPT));
}

#[tokio::test]
async fn who_may_not_see_the_history_sees_no_usage() {
    for path in ["/usage", "/usage/export", "/reverse", "/machine/n-1/usage"] {
        let answer = seeing(SESSION_VIEWER, Scene::Busy).get(path).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let machine = seeing(SESSION_VIEWER, Scene::Busy).get("/machine/n-1").await;
    assert_eq!(machine.status, 200);
    assert!(!machine.text.contains("href=\"/usage") && !machine.text.contains("Usage of the last 28 days"));
    let looker = seeing(LOOKER, Scene::Busy).get("/usage").await;
    assert_eq!(looker.status, 200);
    assert!(looker.text.contains("href=\"/usage\" aria-current=\"true\""));
    assert!(looker.text.contains("href=\"/reverse\""));
    assert!(!looker.text.contains("/administration/sites/"), "they may set nothing");
}

#[tokio::test]
async fn the_filter_becomes_the_request() {
    let ask = async |query: &str| {
        let usages = Usages::default();
        let answer = Browser::new(Some(ADMIN)).using(&usages).get(&format!("/usage?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        usages
    };
    let usages = ask(
        "site=north&model=Model+M&machine=n-1&span=own&from=2026-11-01&to=2026-11-14&by=week&order=least",
    )
    .await;
    let usage = usages.asked_of("GetUsageRequest").remove(0);
    for words in [
        "site_ids: [\"north\"]",
        "machine_ids: [\"n-1\"]",
        "models: [\"Model M\"]",
        "start_date: \"2026-11-01\", end_date: \"2026-11-15\", time_zone: \"\"",
        "group_by: Machine",
        "order: LeastMotion",
        "page_size: 100",
    ] {
        assert!(usage.contains(words), "{words}: {usage}");
    }
    assert!(usages.asked_of("ListUsageRequest")[0].contains("resolution: Week"));
    assert_eq!(usages.asked().len(), 5, "{:?}", usages.asked());
    // What fits the span if nothing is chosen.
    for (query, resolution) in [
        ("span=today", "Hour"),
        ("span=7", "Day"),
        ("", "Day"),
        ("span=year", "Week"),
        ("span=own&from=2020-01-01&to=2026-01-01", "Month"),
    ] {
        let asked = ask(query).await.asked_of("ListUsageRequest").remove(0);
        assert!(asked.contains(&format!("resolution: {resolution}")), "{query}: {asked}");
    }
    // The API does not tell these of longer spans: it is not asked.
    let long = ask("span=year").await;
    assert_eq!((long.asked_of("GetHeatMap").len(), long.asked_of("GetUtilisation").len()), (1, 0));
    let longer = ask("span=own&from=2020-01-01&to=2026-01-01").await;
    assert_eq!(longer.asked_of("GetHeatMap").len(), 0);
}

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_nothing_is_asked() {
    let long = "/usage?span=own&from=2010-01-01&to=2026-01-01";
    for (path, field, words) in [
        ("/usage?span=decade", "span", "Known are: today, 7, 28, month, last-month, year, own."),
        (
            "/usage?span=own&from=2026-02-30&to=2026-03-01",
            "from",
            "“2026-02-30” is no date such as 2026-11-01.",
        ),
        ("/usage?span=own&from=2026-03-01", "to", "“” is no date"),
        ("/usage?span=own&from=2026-03-02&to=2026-03-01", "to", "Choose 2026-03-02 or later."),
        (long, "from", "5845 days are too many: at most 3660 are allowed. Begin on 2015-12-26 or later."),
        (
            "/usage?span=28&by=hour",
            "by",
            "672 steps are too many: a page shows at most 400. Choose at most 16 days, or steps of: Days.",
        ),
        ("/usage?by=minute", "by", "Known are: hour, day, week, month."),
        ("/usage?site=nowhere", "site", "There is no such site"),
        ("/reverse?span=year", "span", "365 days are too many: at most 92 are allowed."),
        ("/reverse?mass=29", "mass", "Give 30 to 250 kg"),
        ("/reverse?mass=many", "mass", "Give 30 to 250 kg"),
    ] {
        let usages = Usages::default();
        let answer = Browser::new(Some(ADMIN)).using(&usages).get(path).await;
        assert_eq!((answer.status, usages.asked().len()), (422, 0), "{path}");
        let (_, error) = answer
            .text
            .split_once(&format!("id=\"{field}-error\" role=\"alert\">"))
            .unwrap_or_else(|| panic!("{path}: {}", answer.text));
        let (error, _) = error.split_once("</p>").unwrap();
        assert!(error.contains(words), "{path}: {error}");
        assert!(answer.text.contains(&format!("aria-describedby=\"{field}-error\"")), "{path}");
    }
    for (path, words) in [
        ("/usage?colour=red", "This page has no filter “colour”."),
        ("/usage?mass=70", "This page has no filter “mass”."),
        ("/usage?site=north&site=south", "may be given only once"),
    ] {
        let answer = seeing(ADMIN, Scene::Busy).get(path).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(answer.text.contains(words), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_the_api_refuses_stands_at_its_field() {
    for path in ["/usage", "/reverse", "/usage/export?format=xlsx"] {
        let answer = seeing(ADMIN, Scene::Refused).get(path).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(
            answer
                .text
                .contains("id=\"span-error\" role=\"alert\">The service does not accept it: begins before"),
            "{path}: {}",
            answer.text
        );
        assert!(
            answer.text.contains(
                "id=\"machine-error\" role=\"alert\">The service does not accept it: there is no such"
            ),
            "{path}"
        );
        assert!(
            answer
                .text
                .contains("<p class=\"error\" role=\"alert\">The service does not accept it: is too large"),
            "{path}"
        );
        assert!(!answer.text.contains(SCRIPT) && !answer.text.contains("id=\"summary-title\""), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_at_what_was_filled_in() {
    for path in ["/usage?site=north&machine=none", "/reverse?machine=none", "/usage/export?machine=none"] {
        let answer = seeing(ADMIN, Scene::NoSuch).get(path).await;
        assert_eq!(answer.status, 422, "{path}");
        let (_, error) = answer.text.split_once("id=\"machine-error\" role=\"alert\">").unwrap();
        assert!(error.starts_with("The service does not accept it: there is no such machine"), "{path}");
        assert!(answer.text.contains("type=\"text\" value=\"none\""), "what was asked stays");
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_named() {
    for (path, part) in [("/usage", "Usage"), ("/reverse", "Reverse motion"), ("/usage/export", "The file")] {
        let answer = seeing(ADMIN, Scene::Out).get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.text.contains(&format!("{part} cannot be shown now.")), "{path}: {}", answer.text);
        assert!(answer.text.contains("Not available since "), "{path}");
    }
    let machine = seeing(ADMIN, Scene::Out).get("/machine/n-1").await;
    assert_eq!(machine.status, 200);
    assert!(machine.text.contains("Usage cannot be shown now."));
}

#[tokio::test]
async fn every_part_keeps_forward_reverse_and_unknown_apart() {
    let text = page("/usage").await;
    let of = |from: &str| text.split_once(from).unwrap().1.split_once("</section>").unwrap().0.to_owned();
    let summary = of("id=\"summary-title\"");
    for words in [
        "Belts moved for 12.2 h over 63.9 km; they started 9 times.",
        "forward, measured 10.0 h, forward (declared) 60 min, reverse 40 min, direction unknown 30 min.",
        "Counted for 93 % of the time; 2 of 12 machines told nothing.",
        "9 of 12 machines told it or cannot run in reverse.",
        "Complete up to 2027-01-15 09:00:00.",
        "Silent for over a day: <a href=\"/machine/n-2\">Treadmill 2</a> and 1 more.",
    ] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
    let bars = of("id=\"bars-title\"");
    for class in ["k-measured", "k-declared", "k-reverse", "k-unknown", "low"] {
        assert!(bars.contains(&format!("<rect class=\"{class}\" fill=\"url(#p-")), "{class}");
    }
    assert!(bars.contains("<th scope=\"row\">2027-01-15</th><td>10.0 h</td><td>60 min</td><td>40 min</td>"));
    assert!(bars.contains("Hatched ground"));
    for pattern in ["p-measured", "p-declared", "p-reverse", "p-unknown", "p-low"] {
        assert_eq!(text.matches(&format!("id=\"{pattern}\"")).count(), 1, "{pattern}");
    }
    let heat = of("id=\"heat\"");
    assert!(heat.contains("<td class=\"h5\" tabindex=\"-1\"><b>50</b><span class=\"tip\">Monday 9 to 10"));
    assert!(heat.contains("forward 15 min, reverse 7.5 min, direction unknown 7.5 min; counted for 100 %"));
    assert!(heat.contains("class=\"low\" tabindex=\"-1\"><b>?</b>"));
    assert_eq!(heat.matches("class=\"tip\"").count(), 168);
    assert_eq!(heat.matches("tabindex=\"0\"").count(), 2, "the part that scrolls, and one cell");
}

#[tokio::test]
async fn machines_are_ranked_and_a_blind_one_says_so() {
    let text = page("/usage?order=reverse&site=north").await;
    let (_, ranking) = text.split_once("id=\"ranking\"").unwrap();
    let rows: Vec<&str> = ranking.split("</section>").next().unwrap().split("<tr role=\"row\">").collect();
    assert_eq!(rows.len(), 5);
    assert!(rows[2].contains("href=\"/machine/n-1\"") && !rows[2].contains("tells no direction"));
    assert!(
        rows[3].contains("Walker") && rows[3].contains("data-label=\"forward (declared)\"><span>60 min<")
    );
    assert!(
        rows[3].contains("data-label=\"forward, measured\"><span>0 min<"),
        "what is declared is not measured"
    );
    assert!(
        rows[4].contains("tells no direction")
            && rows[4].contains("data-label=\"direction unknown\"><span>30 min<")
    );
    assert!(rows[4].contains("data-label=\"forward, measured\"><span>0 min<"), "unknown is not forward");
    assert!(
        ranking.contains("href=\"/usage?site=north&#38;order=reverse#ranking\" aria-current=\"true\"")
            || ranking.contains("order=reverse#ranking\" aria-current=\"true\"")
    );
    assert!(ranking.contains("3 of 120 machines are shown."));
}

#[tokio::test]
async fn utilisation_and_service_say_what_is_missing() {
    let text = page("/usage").await;
    let (_, used) = text.split_once("id=\"utilisation\"").unwrap();
    let (north, south) = used.split_once("alert(").unwrap();
    assert!(north.contains("Used for 25 % of the time seen while open: 22.5 h of 90.0 h."));
    assert!(north.contains("Seen for 90 % of 100.0 h"));
    assert!(north.contains("At most 7 of 12 machines at once, first on 2027-01-15 09:00:00."));
    assert!(north.contains("In reverse outside staffed hours: 10 min."));
    assert!(!north.contains("Nobody has said when this site is open"));
    assert!(south.contains("Nobody has said when this site is open: it counts as open at all times."));
    assert!(south.contains("href=\"/administration/sites/south\""));
    assert!(south.contains("Nobody has said when staff are there."));
    let (_, service) = text.split_once("id=\"maintenance\"").unwrap();
    assert!(service.contains("class=\"v-failed\"") && service.contains("550.0 h of 500 h"));
    assert!(service.contains("1000.0 km of 2000.0 km") && service.contains("2026-09-21 · anna · "));
    assert!(service.contains("82 % <small>belts may have run unseen</small>"));
    assert!(service.contains("1 of the machines listed have no service plan."));
}

#[tokio::test]
async fn nothing_to_show_says_what_to_do() {
    let still = seeing(ADMIN, Scene::Still).get("/usage").await;
    assert_eq!(still.status, 200);
    assert!(still.text.contains("No belt was seen in motion. Choose a longer span"));
    assert!(
        still.text.contains("No machine fits.") && still.text.contains("No machine here has a service plan.")
    );
    assert!(!still.text.contains("this is no standstill"));
    let unseen = seeing(ADMIN, Scene::Unseen).get("/usage").await;
    assert!(unseen.text.contains("Nothing was told in this span: this is no standstill."));
    assert!(unseen.text.contains("Counted for 0 % of the time"));
}

#[tokio::test]
async fn german_and_miles_are_spoken_to_whoever_prefers_them() {
    let page = seeing(SESSION_GERMAN, Scene::Busy).get("/usage").await;
    assert_eq!(page.status, 200);
    for words in [
        "Bänder liefen 12,2 Std. über 39,7 mi",
        "vorwärts, gemessen 10,0 Std., vorwärts (angegeben) 60 min, rückwärts 40 min, Richtung unbekannt 30 min.",
        "Für 93 % der Zeit gezählt; 2 von 12 Geräten meldeten nichts.",
        "Montag 9 bis 10 Uhr",
        "Fällige Wartung",
        "621,4 mi von 1242,7 mi",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
    let wrong = seeing(SESSION_GERMAN, Scene::Busy).get("/usage?span=own&from=x&to=2026-01-01").await;
    assert!(wrong.text.contains("„x“ ist kein Datum wie 2026-11-01."));
}

#[tokio::test]
async fn somebody_of_one_site_chooses_among_its_machines_only() {
    let page = seeing(ADMIN_SOUTH, Scene::Busy).get("/usage").await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<option value=\"north\"") && page.text.contains("<option value=\"south\""));
    assert!(
        page.text.contains("id=\"machine\" name=\"machine\" type=\"text\""),
        "their site has none to list"
    );
    assert!(!page.text.contains("href=\"/machine/n-1\""), "it stands at the other site");
    assert_eq!(seeing(ADMIN_SOUTH, Scene::Busy).get("/usage?site=north").await.status, 422);
}

#[tokio::test]
async fn a_file_holds_just_what_is_shown() {
    let text = page("/usage?site=north&span=own&from=2026-11-01&to=2026-11-02&by=hour").await;
    let (_, link) = text.split_once("id=\"usage-csv\" class=\"button\" href=\"").unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let usages = Usages::default();
    let file = Browser::new(Some(ADMIN)).using(&usages).get(&link).await;
    assert_eq!((file.status, file.text.as_str()), (200, "a,b\r\n2,3\r\n"));
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"usage-2027-01.csv\"");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    let asked = usages.asked_of("ExportUsageRequest").remove(0);
    for words in [
        "site_ids: [\"north\"]",
        "start_date: \"2026-11-01\", end_date: \"2026-11-03\"",
        "kind: Usage",
        "format: Csv",
        "resolution: Hour",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    let xlsx = seeing(ADMIN, Scene::Busy).get("/usage/export?kind=sessions&format=xlsx").await;
    assert!(xlsx.header("content-type").ends_with("spreadsheetml.sheet"));
    let wrong = seeing(ADMIN, Scene::Busy).get("/usage/export?format=pdf").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("format: “pdf” is not known. Known are: csv, xlsx."));
    // More than a page shows.
    let long = seeing(ADMIN, Scene::Busy).get("/usage/export?span=28&by=hour").await;
    assert_eq!(long.status, 200);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_taken_for_a_whole_one() {
    assert!(seeing(ADMIN, Scene::Cut).breaks_off("/usage/export").await);
    assert!(!seeing(ADMIN, Scene::Busy).breaks_off("/usage/export").await);
}

#[tokio::test]
async fn a_machine_shows_its_last_weeks() {
    let usages = Usages::default();
    let machine = Browser::new(Some(ADMIN)).using(&usages).get("/machine/n-1").await;
    assert_eq!(machine.status, 200);
    let (_, part) = machine.text.split_once("id=\"usage\"").unwrap();
    let (part, _) = part.split_once("</section>").unwrap();
    assert!(part.contains("Usage of the last 28 days") && part.contains("href=\"/usage?machine=n-1\""));
    assert!(part.contains("reverse <b>40 min</b>") && part.contains("direction unknown <b>30 min</b>"));
    assert!(
        part.contains("forward (declared) <b>60 min</b>") && part.contains("Counted for 93 % of the time")
    );
    assert!(usages.asked()[0].contains("machine_ids: [\"n-1\"]") && usages.asked().len() == 1);
    let alone = seeing(ADMIN, Scene::Still).get("/machine/n-1/usage").await;
    assert!(alone.text.starts_with("<section id=\"usage\"") && !alone.text.contains("<html"));
    assert!(alone.text.contains("No belt was seen in motion."));
}
