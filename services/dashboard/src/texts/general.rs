//! Texts of the frame, of ages, and of what goes wrong anywhere.

use super::{sentences, texts};

texts! {
    skip: "Skip to the content", "Zum Inhalt springen";
    navigation: "Main", "Haupt";
    chain: "All sites", "Alle Studios";
    floor: "Floor", "Fläche";
    administration: "Administration", "Verwaltung";
    account: "Account", "Konto";
    sign_out: "Sign out", "Abmelden";
    save: "Save", "Speichern";
    back: "Back", "Zurück";
    not_known: "not known", "nicht bekannt";
    never: "never", "nie";
    no_page_title: "There is no such page", "Diese Seite gibt es nicht";
    no_page: "The address is wrong, or the page was moved.", "Die Adresse ist falsch, oder die Seite wurde verschoben.";
    not_allowed_title: "Not allowed", "Nicht erlaubt";
    not_allowed: "Your account may not do this. An administrator can change that.", "Ihr Konto darf das nicht. Eine Administratorin oder ein Administrator kann das ändern.";
    form_refused_title: "The form was not accepted", "Das Formular wurde nicht angenommen";
    form_refused: "It was not sent from this site, or you have signed in again since it was shown. Nothing was changed. Go back, load the page again and repeat what you did.", "Es wurde nicht von dieser Seite gesendet, oder Sie haben sich seither neu angemeldet. Nichts wurde geändert. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie den Schritt.";
    failed_title: "This did not work", "Das hat nicht geklappt";
    service_silent: "the service does not answer", "der Dienst antwortet nicht";
    part_sites: "Sites", "Studios";
    part_machines: "Machines", "Geräte";
    part_machine: "The machine", "Das Gerät";
    part_readings: "Readings", "Messwerte";
    part_events: "Events", "Ereignisse";
    part_sessions: "Sessions", "Trainings";
    part_account: "Your account", "Ihr Konto";
    connection_lost: "Connection lost.", "Verbindung unterbrochen.";
    connection_lost_more: "You see the last known state. It is brought up to date as soon as the connection is back.", "Sie sehen den letzten bekannten Stand. Er wird aktualisiert, sobald die Verbindung wieder steht.";
    pages_full: "Too many pages are open at once. This one shows the state from when it was loaded.", "Zu viele Seiten sind gleichzeitig offen. Diese zeigt den Stand, mit dem sie geladen wurde.";
    english: "English", "Englisch";
    german: "German", "Deutsch";
    kilometres_per_hour: "Kilometres per hour (km/h)", "Kilometer pro Stunde (km/h)";
    miles_per_hour: "Miles per hour (mph)", "Meilen pro Stunde (mph)";
}

sentences! {
    age_seconds(n): "{n} s", "{n} s";
    age_minutes(n): "{n} min", "{n} min";
    age_hours(n): "{n} h", "{n} Std.";
    age_days(n): "{n} d", "{n} T.";
    ago(age): "{age} ago", "vor {age}";
    since(age): "for {age}", "seit {age}";
    part_missing(part): "{part} cannot be shown now.", "{part}: zurzeit nicht anzeigbar.";
    missing_since(time): "Not available since {time}.", "Nicht verfügbar seit {time}.";
    missing_reason(reason): "Reason: {reason}.", "Grund: {reason}.";
    too_many_attempts(seconds): "There were too many failures. Try again in {seconds} s.", "Zu viele Fehlversuche. Versuchen Sie es in {seconds} s wieder.";
}
