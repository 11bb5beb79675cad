//! Texts of the page that says what there is to do today.

use super::{sentences, texts};

texts! {
    menu_today: "Today", "Heute";
    today: "Today", "Heute";
    today_lead: "What a technician would look at, the worst first.", "Wonach eine Technikerin oder ein Techniker sehen würde, das Schlimmste zuerst.";
    today_nothing: "Nothing to do.", "Nichts zu tun.";
    today_agents: "Versions of the agents", "Versionen der Agenten";
    today_agents_none: "No agent was ever heard here.", "Hier war noch nie ein Agent zu hören.";
    today_agents_count: "Machines", "Geräte";
    today_unheard: "Not heard", "Nicht zu hören";
    today_unheard_lead: "What these belts do is not known.", "Was diese Bänder tun, ist nicht bekannt.";
    today_clocks: "Clocks that are unsure", "Unsichere Uhren";
    today_clocks_lead: "The newest readings say that their time may be off by over a second.", "Die neuesten Messwerte sagen, dass ihre Zeit um über eine Sekunde daneben liegen kann.";
    today_backlog: "Behind", "Im Rückstand";
    today_backlog_lead: "Readings that the agent has and the server does not, for over a minute.", "Messwerte, die der Agent hat und der Server nicht, seit über einer Minute.";
    today_lost: "Records lost", "Verlorene Aufzeichnungen";
    today_lost_lead: "Counted since each machine was registered.", "Gezählt seit der Anlage des jeweiligen Geräts.";
    today_uncommissioned: "Not commissioned", "Nicht eingemessen";
    today_uncommissioned_lead: "Without a limit that its stops could be judged by.", "Ohne Grenze, nach der sich Stopps beurteilen ließen.";
    today_unproven: "Direction not proven", "Richtung nicht bewiesen";
    today_unproven_lead: "They measure a direction, and nobody has proven which sign is forward: it counts as unknown. Next: `beltwatch-agent commission` beside the machine, then `beltwatch rebuild`.", "Sie messen eine Richtung, und niemand hat bewiesen, welches Vorzeichen vorwärts ist: sie zählt als unbekannt. Nächster Schritt: `beltwatch-agent commission` am Gerät, danach `beltwatch rebuild`.";
    today_configuration_changed: "the sources were set differently since", "die Quellen wurden seither anders eingestellt";
    today_proofs: "Proof tests due", "Fällige Stopp-Prüfungen";
    today_proofs_all: "All proof tests", "Alle Stopp-Prüfungen";
    today_maintenance: "Service due", "Fällige Wartung";
    today_maintenance_lead: "By belt hours or by distance, whichever comes first.", "Nach Bandstunden oder Strecke, was zuerst erreicht ist.";
    today_maintenance_all: "All service", "Alle Wartungen";
    today_out_of_service: "Out of service", "Außer Betrieb";
    today_blind: "Blind spots", "Blinde Flecken";
    today_blind_lead: "What these machines cannot tell: rules that see nothing here.", "Was diese Geräte nicht melden können: Regeln, die hier nichts sehen.";
    today_blind_all: "Where reverse motion hides", "Wo sich Rückwärtslauf verbirgt";
    today_contacts: "Contacts that failed", "Kontakte mit Fehler";
    today_contacts_lead: "The message tried last reached nobody.", "Die zuletzt versuchte Nachricht erreichte niemanden.";
    today_contacts_all: "All contacts", "Alle Kontakte";
    today_machines_cut: "There are more machines than this page reads. Choose a site.", "Es gibt mehr Geräte, als diese Seite liest. Wählen Sie ein Studio.";
    today_of_all: "of all sites", "für alle Studios";
    today_no_version: "not told", "nicht gemeldet";
}

sentences! {
    today_as_of(time): "As of {time}.", "Stand {time}.";
    today_count(n): "{n} to look at", "{n} zu prüfen";
    today_more(n): "and {n} more", "und {n} weitere";
    today_heard_last(ago): "last heard {ago}", "zuletzt gehört {ago}";
    today_clock_off(time): "may be off by {time}", "kann um {time} daneben liegen";
    today_clocks_looked(n): "Looked at: {n} machines that were heard in the last two minutes.", "Angesehen: {n} Geräte, die in den letzten zwei Minuten zu hören waren.";
    today_clocks_cut(n): "Only {n} machines were looked at. Choose a site.", "Nur {n} Geräte wurden angesehen. Wählen Sie ein Studio.";
    today_backlog_by(time): "behind by {time}", "im Rückstand um {time}";
    today_lost_are(n): "{n} records", "{n} Aufzeichnungen";
    today_proof(contact, state): "{contact}: {state}", "{contact}: {state}";
    today_used(percent): "{percent} % used up", "{percent} % verbraucht";
    today_hours(done, plan): "{done} of {plan}", "{done} von {plan}";
    today_since(age): "for {age}", "seit {age}";
    today_rules_blind(n, all): "{n} of {all} rules see nothing", "{n} von {all} Regeln sehen nichts";
    today_would_add(signal): "most would be added by: {signal}", "am meisten brächte: {signal}";
    today_without_plan(n): "{n} machines have no service plan.", "{n} Geräte haben keinen Wartungsplan.";
    today_unmeasurable(n): "Not measurable at all: {n} contacts.", "Überhaupt nicht messbar: {n} Kontakte.";
}
