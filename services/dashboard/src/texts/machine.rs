//! Texts of a machine's page.

use super::{sentences, texts};

texts! {
    speed_chart: "Speed of the last five minutes", "Geschwindigkeit der letzten fünf Minuten";
    speed_chart_key: "Above zero the belt runs forward, below zero in reverse. Dashed: direction unknown. A gap: nothing is known.", "Über null läuft das Band vorwärts, darunter rückwärts. Gestrichelt: Richtung unbekannt. Lücke: nichts ist bekannt.";
    chart_signed: "Direction known", "Richtung bekannt";
    chart_unknown: "Direction unknown", "Richtung unbekannt";
    chart_time: "Time", "Zeit";
    contacts: "Contacts", "Kontakte";
    emergency_stop: "Emergency stop", "Not-Halt";
    safety_key: "Safety key", "Sicherheitsschlüssel";
    machine_power: "Machine power", "Gerätestrom";
    hand_rail: "Hands on the rail", "Hände am Griff";
    user_presence: "Person on the belt", "Person auf dem Band";
    emergency_stop_closed: "not pressed", "nicht gedrückt";
    emergency_stop_open: "pressed", "gedrückt";
    safety_key_closed: "in place", "steckt";
    safety_key_open: "pulled", "gezogen";
    machine_power_closed: "on", "an";
    machine_power_open: "off", "aus";
    hand_closed: "yes", "ja";
    hand_open: "no", "nein";
    contact_both: "changed within the second", "wechselte in dieser Sekunde";
    contact_unknown: "not known", "nicht bekannt";
    contact_none: "cannot be reported by this machine", "kann dieses Gerät nicht melden";
    events_title: "Events of the last 24 hours", "Ereignisse der letzten 24 Stunden";
    events_none: "No event was reported.", "Kein Ereignis wurde gemeldet.";
    event_time: "Time", "Zeit";
    event_what: "What happened", "Was geschah";
    event_belt: "Belt before", "Band davor";
    sessions_title: "Sessions of today", "Trainings von heute";
    sessions_none: "No session began today.", "Heute begann kein Training.";
    session_open: "still open", "läuft noch";
    session_parts: "Course", "Verlauf";
    session_distance: "Distance", "Strecke";
    coverage_unknown: "Coverage is not known.", "Abdeckung nicht bekannt.";
    agent_title: "Agent", "Agent";
    presence: "Presence", "Erreichbarkeit";
    presence_online: "heard in time", "rechtzeitig gehört";
    presence_late: "late", "verspätet";
    presence_offline: "offline", "nicht erreichbar";
    presence_never_seen: "never heard", "noch nie gehört";
    last_heard: "Last heard", "Zuletzt gehört";
    version: "Version", "Version";
    backlog: "Behind by", "Rückstand";
    records_lost: "Records lost", "Verlorene Aufzeichnungen";
    can_report: "Can report", "Kann melden";
    cannot_report: "Cannot report", "Kann nicht melden";
    nothing: "nothing", "nichts";
    model: "Model", "Modell";
    belt: "Belt", "Band";
    belt_one_way: "forward only", "nur vorwärts";
    belt_reversible: "can run in reverse", "kann rückwärts laufen";
    belt_unknown: "nobody has said whether it can run in reverse", "ob es rückwärts laufen kann, hat niemand angegeben";
    revoked: "The agent's credential is revoked: nothing that it sends is accepted.", "Der Zugang des Agenten ist widerrufen: nichts, was er sendet, wird angenommen.";
    no_history: "Your account may not see the history of this machine.", "Ihr Konto darf den Verlauf dieses Geräts nicht sehen.";
    no_machine: "There is no such machine, or you may not see it.", "Dieses Gerät gibt es nicht, oder Sie dürfen es nicht sehen.";
    last_stop: "Last stop", "Letzter Stopp";
    rest: "rest", "Pause";
    more_events: "Only the newest are shown.", "Nur die neuesten werden gezeigt.";
    more_sessions: "Only the newest are shown.", "Nur die neuesten werden gezeigt.";

    signal_speed: "speed", "Geschwindigkeit";
    signal_direction: "direction", "Richtung";
    direction_not_commissioned: "The direction is measured but not commissioned: it counts as unknown. Next: `beltwatch-agent commission` beside the machine, then `beltwatch rebuild` for what was before.", "Die Richtung wird gemessen, ist aber nicht eingemessen: sie zählt als unbekannt. Nächster Schritt: `beltwatch-agent commission` am Gerät, danach `beltwatch rebuild` für die Zeit davor.";
    direction_configuration_changed: "The sources are set differently than when the direction was commissioned: it counts as unknown. Next: `beltwatch-agent commission` beside the machine.", "Die Quellen sind anders eingestellt als beim Einmessen der Richtung: sie zählt als unbekannt. Nächster Schritt: `beltwatch-agent commission` am Gerät.";
    signal_incline: "incline", "Steigung";

    event_belt_started: "Belt started", "Band gestartet";
    event_belt_stopped: "Belt stopped", "Band gestoppt";
    event_direction_changed: "Direction changed", "Richtung gewechselt";
    event_contact_opened: "Contact opened", "Kontakt geöffnet";
    event_contact_closed: "Contact closed", "Kontakt geschlossen";
    event_contact_chattering: "Contact chatters", "Kontakt prellt";
    event_source_stale: "Source went silent", "Quelle verstummt";
    event_source_fresh: "Source speaks again", "Quelle meldet sich wieder";
    event_user_started: "Started at the console", "An der Konsole gestartet";
    event_user_stopped: "Stopped at the console", "An der Konsole gestoppt";
    event_user_paused: "Paused at the console", "An der Konsole pausiert";
    event_safety_key_stop: "Machine reports a stop by its safety key", "Gerät meldet Stopp durch Sicherheitsschlüssel";
    event_agent_started: "Agent started", "Agent gestartet";
    event_spool_failing: "Agent cannot store records", "Agent kann nicht speichern";
    event_spool_recovered: "Agent can store records again", "Agent kann wieder speichern";
    event_value_implausible: "Implausible value", "Unglaubwürdiger Wert";
    event_direction_disagreed: "Two sources disagree on the direction", "Zwei Quellen nennen verschiedene Richtungen";
    event_fault_reported: "Machine reports a fault", "Gerät meldet eine Störung";
    event_speed_jumped: "Speed jumped", "Geschwindigkeit sprang";
    event_emergency_stop_opened: "Emergency stop pressed", "Not-Halt gedrückt";
    event_emergency_stop_closed: "Emergency stop released", "Not-Halt gelöst";
    event_safety_key_opened: "Safety key pulled", "Sicherheitsschlüssel gezogen";
    event_safety_key_closed: "Safety key put back", "Sicherheitsschlüssel eingesteckt";
    event_machine_power_opened: "Machine lost its power", "Gerät ohne Strom";
    event_machine_power_closed: "Machine has power again", "Gerät hat wieder Strom";
}

sentences! {
    covered_share(percent): "{percent} % of the time is covered by readings.", "{percent} % der Zeit sind durch Messwerte belegt.";
    covered_lost(n): "Records lost: {n}.", "Verlorene Aufzeichnungen: {n}.";
    as_of(time): "As of {time}.", "Stand {time}.";
    metres(n): "{n} m", "{n} m";
    kilometres(n): "{n} km", "{n} km";
    miles(n): "{n} mi", "{n} mi";
    counted(n): "{n} times", "{n}-mal";
    up_to(speed): "up to {speed}", "bis {speed}";
    stopped_seen(user): "seen to by {user}", "nachgesehen von {user}";
    times_in(zone): "Times in the zone of the site: {zone}.", "Zeiten in der Zone des Studios: {zone}.";
}
