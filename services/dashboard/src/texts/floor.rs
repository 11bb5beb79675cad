//! Texts of the floor, its plan and the chain.

use super::{sentences, texts};

texts! {
    needs_somebody: "Needs somebody", "Braucht jemanden";
    nobody_needed: "No machine needs anybody.", "Kein Gerät braucht jemanden.";
    seen_to: "I have seen to it", "Ich habe nachgesehen";
    seen_to_failed: "That could not be saved. Try again.", "Das konnte nicht gespeichert werden. Versuchen Sie es noch einmal.";
    machines: "Machines", "Geräte";
    no_machines: "No machine is registered here.", "Hier ist kein Gerät registriert.";
    no_sites: "No site is registered yet.", "Noch ist kein Studio registriert.";
    not_placed: "Not in the plan yet", "Noch nicht im Plan";
    sound_on: "Sound on", "Ton an";
    sound_off: "Sound off", "Ton aus";
    filter_show: "Filter machines", "Geräte filtern";
    filter_model: "Model", "Modell";
    filter_status: "Status", "Status";
    filter_any: "Any", "Alle";
    filter_reversible: "Can run in reverse", "Kann rückwärts laufen";
    filter_free: "Free for at least (minutes)", "Frei seit mindestens (Minuten)";
    filter_clear: "Show all", "Alle zeigen";
    no_place_on_floor: "There is no such site, or you may not see it.", "Dieses Studio gibt es nicht, oder Sie dürfen es nicht sehen.";

    status_emergency_stop: "Emergency stop", "Not-Halt";
    status_key_pulled: "Safety key pulled", "Sicherheitsschlüssel gezogen";
    status_power_lost: "Power lost", "Strom ausgefallen";
    status_reverse: "Reverse", "Rückwärts";
    status_moving_unknown: "Direction unknown", "Richtung unbekannt";
    status_offline: "Not heard", "Nicht erreichbar";
    status_silent: "No word from the belt", "Keine Meldung vom Band";
    status_forward: "Forward", "Vorwärts";
    status_resting: "Paused", "Pause";
    status_out_of_use: "Out of use", "Außer Betrieb";
    status_free: "Free", "Frei";
    status_never_seen: "Never heard", "Noch nie gehört";
    status_unknown: "Unknown", "Unbekannt";

    direction_forward: "forward", "vorwärts";
    direction_reverse: "reverse", "rückwärts";
    direction_stopped: "stopped", "steht";
    direction_unknown: "direction unknown", "Richtung unbekannt";

    by_emergency_stop: "emergency stop", "Not-Halt";
    by_safety_key: "safety key", "Sicherheitsschlüssel";
    by_machine_power: "loss of power", "Stromausfall";

    why_emergency_open: "Emergency stop is pressed, {for}", "Not-Halt ist gedrückt, {for}";
    still_open: "Still pressed.", "Noch gedrückt.";
    released: "Released.", "Gelöst.";
    key_out: "Key is still out.", "Schlüssel steckt noch nicht.";
    key_back: "Key is back.", "Schlüssel steckt wieder.";
    power_off: "Still without power.", "Noch ohne Strom.";
    power_back: "Power is back.", "Strom ist wieder da.";
    why_offline: "last word from its agent {ago}", "Agent zuletzt gehört {ago}";
    why_silent: "no reading, agent heard {ago}", "kein Messwert, Agent gehört {ago}";
    why_resting: "stands {for}", "steht {for}";
    why_out_of_use: "key out or off {for}", "Schlüssel fehlt oder aus {for}";
    why_free: "not used {for}", "nicht benutzt {for}";
    why_never_seen: "no agent has reported yet", "noch kein Agent hat sich gemeldet";
    why_reverse: "runs in reverse {for}", "läuft rückwärts {for}";
    why_forward: "runs {for}", "läuft {for}";
    why_moving_unknown: "moves {for}", "läuft {for}";
    why_not_commissioned: "direction not commissioned; moves {for}", "Richtung nicht eingemessen; läuft {for}";
    why_configuration_changed: "direction to be commissioned again; moves {for}", "Richtung neu einzumessen; läuft {for}";
    was: "was", "war";

    arrange: "Arrange the plan", "Plan anordnen";
    arrange_lead: "Drag machines to where they stand, seen from above. With the keyboard: choose a machine and move it with the arrow keys; Delete takes it out of the plan. Or enter row and column below.", "Ziehen Sie die Geräte dorthin, wo sie stehen, von oben gesehen. Mit der Tastatur: Gerät wählen und mit den Pfeiltasten bewegen; Entf nimmt es aus dem Plan. Oder geben Sie unten Reihe und Spalte ein.";
    arrange_plan: "Plan", "Plan";
    arrange_numbers: "Rows and columns", "Reihen und Spalten";
    arrange_unplaced: "Not in the plan", "Nicht im Plan";
    row: "Row", "Reihe";
    column: "Column", "Spalte";
    place_wrong: "Row and column are 1 to 64, or both are empty.", "Reihe und Spalte sind 1 bis 64, oder beide sind leer.";
    place_taken: "Another machine has this place.", "Diesen Platz hat schon ein anderes Gerät.";
    arranged: "The plan is saved.", "Der Plan ist gespeichert.";

    chain_oldest: "oldest", "ältester";
    chain_away: "Agents not heard", "Agenten nicht erreichbar";
    chain_heard: "Machines heard", "Geräte erreichbar";
}

sentences! {
    pages_open(n): "Pages open here: {n}", "Hier offene Seiten: {n}";
    local_time(time): "{time} at the site", "{time} im Studio";
    why_stopped_at(contact, speed): "Stopped by {contact} at {speed}, {{ago}}.", "Gestoppt durch {contact} bei {speed}, {{ago}}.";
    why_stopped_reverse(contact, speed): "Stopped by {contact} at {speed} in reverse, {{ago}}.", "Gestoppt durch {contact} bei {speed} rückwärts, {{ago}}.";
    why_stopped(contact): "Stopped by {contact}, speed not known, {{ago}}.", "Gestoppt durch {contact}, Geschwindigkeit nicht bekannt, {{ago}}.";
    seen_by(user): "{user} has seen to it.", "{user} hat nachgesehen.";
    shown_of(shown, all): "{shown} of {all} machines shown", "{shown} von {all} Geräten gezeigt";
    needs_count(n): "Needs somebody: {n}", "Braucht jemanden: {n}";
    heard_of(heard, all): "{heard} of {all}", "{heard} von {all}";
    piece_at(name, row, column): "{name}, row {row}, column {column}", "{name}, Reihe {row}, Spalte {column}";
    piece_unplaced(name): "{name}, not in the plan", "{name}, nicht im Plan";
    machines_cut(n): "Only the first {n} machines are shown.", "Nur die ersten {n} Geräte werden gezeigt.";
}
