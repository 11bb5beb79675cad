//! Texts of what is set: hours of a site, where a machine stands, that it was serviced.

use super::{sentences, texts};

texts! {
    first_weekday: "First day of the week", "Erster Tag der Woche";
    first_weekday_hint: "Weeks of usage begin on it.", "An ihm beginnen die Wochen der Nutzung.";
    hours_hint: "In the site's own time, such as 06:00-22:00 or 06:00-12:00, 14:00-24:00; empty: not on that day. All days empty: nobody says.", "In der Zeit des Studios, etwa 06:00-22:00 oder 06:00-12:00, 14:00-24:00; leer: an diesem Tag nicht. Alle Tage leer: keine Angabe.";
    open_wrong: "Use times such as 06:00-22:00 in whole quarters of an hour, in order and apart, until 24:00 at the latest.", "Erlaubt sind Zeiten wie 06:00-22:00 in ganzen Viertelstunden, der Reihe nach und getrennt, bis höchstens 24:00.";
    staffed_wrong: "Use times such as 06:00-22:00, in order and apart, until 24:00 at the latest.", "Erlaubt sind Zeiten wie 06:00-22:00, der Reihe nach und getrennt, bis höchstens 24:00.";
    open_monday: "Open on Monday", "Montag geöffnet";
    open_tuesday: "Open on Tuesday", "Dienstag geöffnet";
    open_wednesday: "Open on Wednesday", "Mittwoch geöffnet";
    open_thursday: "Open on Thursday", "Donnerstag geöffnet";
    open_friday: "Open on Friday", "Freitag geöffnet";
    open_saturday: "Open on Saturday", "Samstag geöffnet";
    open_sunday: "Open on Sunday", "Sonntag geöffnet";
    staffed_monday: "With staff on Monday", "Montag mit Personal";
    staffed_tuesday: "With staff on Tuesday", "Dienstag mit Personal";
    staffed_wednesday: "With staff on Wednesday", "Mittwoch mit Personal";
    staffed_thursday: "With staff on Thursday", "Donnerstag mit Personal";
    staffed_friday: "With staff on Friday", "Freitag mit Personal";
    staffed_saturday: "With staff on Saturday", "Samstag mit Personal";
    staffed_sunday: "With staff on Sunday", "Sonntag mit Personal";
    machine_site_hint: "Another site: it moves there now. What its belt did before stays with the old site, and it leaves its place in the plan there.", "Ein anderes Studio: das Gerät zieht jetzt dorthin um. Was das Band bisher tat, bleibt beim alten Studio, und sein Platz im dortigen Plan entfällt.";
    contact_weekly: "Weekly report", "Wochenbericht";
    contact_weekly_hint: "Sent once a week: how the machines of the site, or of all, were used.", "Kommt einmal in der Woche: wie die Geräte des Studios, oder aller, genutzt wurden.";
    maintained_record: "Record a service", "Wartung eintragen";
    maintained_lead: "Say so when the machine has been serviced. Its hours and kilometres are counted anew from now on, and what was said of an earlier service is replaced.", "Tragen Sie ein, wenn das Gerät gewartet wurde. Stunden und Kilometer zählen ab jetzt neu; die Angabe zu einer früheren Wartung wird ersetzt.";
    maintained_note: "What was done", "Was getan wurde";
    maintained_note_hint: "At most 200 characters; may be empty.", "Höchstens 200 Zeichen; darf leer sein.";
    maintained_note_wrong: "Use at most 200 characters in one line.", "Erlaubt sind höchstens 200 Zeichen in einer Zeile.";
    did_opening_set: "opening hours set", "Öffnungszeiten gesetzt";
    did_maintenance_set: "service plan set", "Wartungsplan gesetzt";
    did_machine_maintained: "machine serviced", "Gerät gewartet";
}

sentences! {
    maintained_of(machine): "Service of {machine}", "Wartung von {machine}";
    maintained_on(day): "Serviced last on {day}.", "Zuletzt gewartet am {day}.";
    maintained_on_as(day, note): "Serviced last on {day}: {note}", "Zuletzt gewartet am {day}: {note}";
}
