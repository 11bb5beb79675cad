//! Texts of signing in, links and one's own account.

use super::{sentences, texts};

texts! {
    sign_in: "Sign in", "Anmelden";
    user_name: "Name", "Name";
    password: "Password", "Passwort";
    sign_in_wrong: "Name and password do not fit.", "Name und Passwort passen nicht zusammen.";
    sign_in_needed: "Please sign in to go on.", "Bitte melden Sie sich an.";
    name_missing: "Enter your name.", "Geben Sie Ihren Namen ein.";
    password_missing: "Enter your password.", "Geben Sie Ihr Passwort ein.";
    link_gone_title: "The link is no longer good", "Der Link gilt nicht mehr";
    link_gone: "It is not known, was used, or is out of date. Ask an administrator for a new one.", "Er ist unbekannt, wurde benutzt oder ist abgelaufen. Bitten Sie die Verwaltung um einen neuen.";
    first_title: "Make the first administrator", "Erste Administratorin oder ersten Administrator anlegen";
    first_lead: "Nobody can sign in yet. Choose a name and a password; with them you can make all other users.", "Noch kann sich niemand anmelden. Wählen Sie Name und Passwort; damit legen Sie alle anderen an.";
    first_submit: "Create and sign in", "Anlegen und anmelden";
    set_password_title: "Choose a password", "Passwort wählen";
    set_password_submit: "Set password and sign in", "Passwort setzen und anmelden";
    new_password: "New password", "Neues Passwort";
    new_password_again: "New password again", "Neues Passwort wiederholen";
    old_password: "Password so far", "Bisheriges Passwort";
    name_rule: "1 to 64 of a–z, 0–9, dot, hyphen, underscore", "1 bis 64 Zeichen aus a–z, 0–9, Punkt, Binde- und Unterstrich";
    password_rule: "At least 10 characters; a few unusual words are good", "Mindestens 10 Zeichen; ein paar ungewöhnliche Wörter sind gut";
    password_short: "The password needs 10 to 200 characters.", "Das Passwort braucht 10 bis 200 Zeichen.";
    password_differs: "The two passwords differ.", "Die beiden Passwörter sind verschieden.";
    name_wrong: "Use 1 to 64 of a–z, 0–9, dot, hyphen, underscore.", "Erlaubt sind 1 bis 64 Zeichen aus a–z, 0–9, Punkt, Binde- und Unterstrich.";
    old_password_wrong: "This is not your password so far.", "Das ist nicht Ihr bisheriges Passwort.";
    preferences: "Preferences", "Einstellungen";
    language: "Language", "Sprache";
    language_browser: "As the browser says", "Wie im Browser";
    speed_unit: "Speeds in", "Geschwindigkeiten in";
    preferences_saved: "The preferences are saved.", "Die Einstellungen sind gespeichert.";
    password_changed: "The password is changed. Your other sessions have ended.", "Das Passwort ist geändert. Ihre anderen Sitzungen sind beendet.";
    change_password: "Change password", "Passwort ändern";
    sign_out_everywhere: "Sign out everywhere", "Überall abmelden";
    not_a_user: "This session belongs to no user; there is nothing to set.", "Diese Sitzung gehört keinem Benutzer; hier ist nichts einzustellen.";
    you_may: "What you may do", "Was Sie dürfen";
    everywhere: "all sites", "alle Studios";
    may_live: "see machines live", "Geräte live sehen";
    may_history: "see the history", "den Verlauf sehen";
    may_act: "see to stops", "sich um Stopps kümmern";
    may_arrange: "arrange the plan", "den Plan anordnen";
    may_configure: "change a site's settings", "Einstellungen eines Studios ändern";
    may_register: "add machines, renew and revoke credentials", "Geräte anlegen, Zugänge erneuern und sperren";
    may_administer: "administer sites, users and tokens", "Studios, Benutzer und Zugangsschlüssel verwalten";
    may_audit: "read the audit", "das Protokoll lesen";
    may_diagnose: "see refused messages and metrics", "abgelehnte Nachrichten und Messwerte sehen";
}

sentences! {
    set_password_lead(user): "For the user {user}.", "Für den Benutzer {user}.";
    signed_in_as(user): "Signed in as {user}.", "Angemeldet als {user}.";
}
