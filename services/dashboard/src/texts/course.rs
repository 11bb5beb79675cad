//! Texts of courses: sessions of one person under a code that names nobody.

use super::{sentences, texts};

texts! {
    menu_courses: "Courses", "Verläufe";
    courses: "Courses", "Verläufe";
    courses_lead: "A course is a code for the sessions of one person. The code names nobody.", "Ein Verlauf ist ein Kürzel für die Trainings einer Person. Das Kürzel nennt niemanden.";
    courses_none: "There is no course here yet. Make one, then put sessions on it.", "Hier gibt es noch keinen Verlauf. Legen Sie einen an und ordnen Sie ihm dann Trainings zu.";
    courses_page_gone: "This page of the list is not there. Begin with the newest.", "Diese Seite der Liste gibt es nicht. Beginnen Sie mit den neuesten.";
    courses_which: "Courses", "Verläufe";
    courses_running: "That go on", "Laufende";
    courses_with_ended: "Ended ones, too", "Auch beendete";
    no_course: "There is no such course, or you may not see it.", "Diesen Verlauf gibt es nicht, oder Sie dürfen ihn nicht sehen.";
    course_make: "Make a course", "Verlauf anlegen";
    course_code: "Code", "Kürzel";
    course_code_hint: "1 to 16 letters, digits, hyphens; do not write names.", "1 bis 16 Buchstaben, Ziffern, Bindestriche; schreiben Sie keine Namen.";
    course_code_wrong: "Use 1 to 16 of A–Z, a–z, 0–9, hyphen; do not write names.", "Erlaubt sind 1 bis 16 Zeichen aus A–Z, a–z, 0–9, Bindestrich; schreiben Sie keine Namen.";
    course_code_taken: "A course with this code goes on at this site. Choose another code, or end that course.", "In diesem Studio läuft ein Verlauf mit diesem Kürzel. Wählen Sie ein anderes, oder beenden Sie den Verlauf.";
    course_owner: "Owner", "Zuständig";
    course_since: "Since", "Seit";
    course_state: "State", "Stand";
    course_goes_on: "goes on", "läuft";
    course_site_wrong: "Choose one of your sites.", "Wählen Sie eines Ihrer Studios.";

    prescribed: "Prescribed", "Vorgegeben";
    prescribed_none: "Nothing is prescribed.", "Nichts ist vorgegeben.";
    prescribed_lead: "What is left empty is not prescribed.", "Was leer bleibt, ist nicht vorgegeben.";
    prescribed_sessions: "Sessions a week", "Trainings je Woche";
    prescribed_sessions_hint: "1 to 14.", "1 bis 14.";
    prescribed_sessions_wrong: "Give a whole number from 1 to 14, or nothing.", "Geben Sie eine ganze Zahl von 1 bis 14 an, oder nichts.";
    prescribed_reverse: "Minutes in reverse a session", "Minuten rückwärts je Training";
    prescribed_reverse_hint: "0.5 to 120. Kept: on average at least this.", "0,5 bis 120. Eingehalten: im Mittel mindestens so viel.";
    prescribed_reverse_wrong: "Give 0.5 to 120 minutes, or nothing.", "Geben Sie 0,5 bis 120 Minuten an, oder nichts.";
    prescribed_interval: "Length of an interval, in seconds", "Länge eines Intervalls, in Sekunden";
    prescribed_interval_hint: "5 to 1800. Kept: the median lies within a fifth of it.", "5 bis 1800. Eingehalten: der Median liegt höchstens ein Fünftel daneben.";
    prescribed_interval_wrong: "Give a whole number from 5 to 1800, or nothing.", "Geben Sie eine ganze Zahl von 5 bis 1800 an, oder nichts.";
    prescribed_weeks: "For how many weeks", "Für wie viele Wochen";
    prescribed_weeks_hint: "1 to 52.", "1 bis 52.";
    prescribed_weeks_wrong: "Give a whole number from 1 to 52, or nothing.", "Geben Sie eine ganze Zahl von 1 bis 52 an, oder nichts.";
    prescribed_change: "Change what is prescribed", "Vorgaben ändern";

    hand_over: "Hand over", "Übergeben";
    hand_over_lead: "The course goes to somebody else with courses at this site. Unless you see all courses of the site, you will not see it any more.", "Der Verlauf geht an jemand anderen mit Verläufen in diesem Studio. Wenn Sie nicht alle Verläufe des Studios sehen, sehen Sie ihn dann nicht mehr.";
    hand_over_to: "To whom: the name to sign in with", "An wen: der Name zum Anmelden";
    hand_over_wrong: "Give the name of a user who may have courses at this site.", "Geben Sie den Namen eines Benutzers an, der in diesem Studio Verläufe haben darf.";
    course_end: "End the course", "Verlauf beenden";
    course_end_lead: "Its sessions stay on it. No more can be put on it.", "Seine Trainings bleiben ihm zugeordnet. Weitere lassen sich nicht mehr zuordnen.";
    course_over: "This course has ended: nothing of it can be changed any more.", "Dieser Verlauf ist beendet: an ihm lässt sich nichts mehr ändern.";
    course_done_made: "The course is made.", "Der Verlauf ist angelegt.";
    course_done_changed: "What is prescribed is saved.", "Die Vorgaben sind gespeichert.";
    course_done_handed: "The course is handed over.", "Der Verlauf ist übergeben.";
    course_done_ended: "The course has ended.", "Der Verlauf ist beendet.";
    course_done_labelled: "The session is on the course.", "Das Training ist dem Verlauf zugeordnet.";
    course_done_taken: "The session is on no course any more.", "Das Training ist keinem Verlauf mehr zugeordnet.";

    course_weeks: "Week by week", "Woche für Woche";
    course_weeks_none: "No week is told yet.", "Noch keine Woche ist zu sehen.";
    course_week: "Week", "Woche";
    course_kept: "Against what is prescribed", "Gegen die Vorgaben";
    course_kept_yes: "kept", "eingehalten";
    course_kept_no: "not kept", "nicht eingehalten";
    course_kept_unknown: "cannot be told", "nicht zu sagen";
    course_done_none: "nothing to tell", "nichts zu sehen";
    course_sessions: "Sessions", "Trainings";
    course_reverse: "In reverse", "Rückwärts";
    course_unknown: "Direction unknown", "Richtung unbekannt";
    course_unknown_more: "Where the direction was not known, some of it may have been in reverse. It is in no figure of reverse motion.", "Wo die Richtung unbekannt war, kann ein Teil rückwärts gewesen sein. Er steckt in keiner Zahl zum Rückwärtslauf.";
    course_speed: "Speed, mean and greatest", "Geschwindigkeit, mittlere und größte";
    course_intervals: "Intervals", "Intervalle";
    course_grades: "Level, uphill, downhill", "Eben, bergauf, bergab";
    course_days: "Most days between", "Meiste Tage dazwischen";
    course_seen: "Seen for", "Zu sehen für";
    course_incidents: "Incidents", "Vorfälle";
    course_chart: "Minutes in reverse by week, and above them those with an unknown direction. The table below says the same.", "Minuten rückwärts je Woche, darüber die mit unbekannter Richtung. Die Tabelle darunter sagt dasselbe.";
    course_of_whom: "Sessions that somebody put on this course, and what the belt did in them. It says nothing of muscles, joints or health.", "Trainings, die jemand diesem Verlauf zugeordnet hat, und was das Band darin tat. Es sagt nichts über Muskeln, Gelenke oder Gesundheit.";
    course_session_list: "Sessions, newest first", "Trainings, neueste zuerst";
    course_sessions_none: "No session is on this course yet.", "Diesem Verlauf ist noch kein Training zugeordnet.";
    course_no_reverse: "none seen in reverse", "nichts rückwärts gesehen";
    course_as_of_none: "Up to when it is complete is not known.", "Bis wann es vollständig ist, ist nicht bekannt.";
    course_print: "Print", "Drucken";
    course_print_back: "Back to the course", "Zurück zum Verlauf";
    course_dates: "Weeks and times in the zone of the site.", "Wochen und Zeiten in der Zone des Studios.";

    label_sessions: "Put sessions on courses", "Trainings zuordnen";
    label_lead: "Sessions of the last 7 days that are on no course, or on one that you see.", "Trainings der letzten 7 Tage, die keinem Verlauf zugeordnet sind oder einem, den Sie sehen.";
    label_none: "There was no such session. Choose another site, or come back after the session.", "Es gab kein solches Training. Wählen Sie ein anderes Studio, oder kommen Sie nach dem Training wieder.";
    label_no_course: "No course goes on at this site. Make one first.", "In diesem Studio läuft kein Verlauf. Legen Sie zuerst einen an.";
    label_no_site: "There is no site at which you may have courses.", "Es gibt kein Studio, in dem Sie Verläufe haben dürfen.";
    label_course: "Course", "Verlauf";
    label_nothing: "on no course", "keinem Verlauf";
    label_save: "Save", "Speichern";
    label_take_away: "Take it off this course", "Von diesem Verlauf nehmen";
    label_refused: "That could not be saved: the course may have ended, or somebody else was first. Here is how it is now.", "Das ließ sich nicht speichern: der Verlauf kann beendet sein, oder jemand anders war schneller. So steht es jetzt.";
    label_gone: "There is no such session any more that you may put on a course.", "Dieses Training gibt es nicht mehr, oder Sie dürfen es nicht zuordnen.";
    label_page_gone: "This page of the list is not there. Begin with the newest.", "Diese Seite der Liste gibt es nicht. Beginnen Sie mit den neuesten.";

    part_courses: "Courses", "Verläufe";
    part_course: "The course", "Der Verlauf";
    part_label_sessions: "Sessions to put on courses", "Trainings zum Zuordnen";
    may_courses: "put sessions on courses", "Trainings Verläufen zuordnen";
}

sentences! {
    course_of(code): "Course {code}", "Verlauf {code}";
    course_ended_on(day): "ended {day}", "beendet {day}";
    courses_cut(n): "Only {n} courses are offered.", "Nur {n} Verläufe werden angeboten.";
    prescribed_speed(unit): "Greatest speed, in {unit}", "Größte Geschwindigkeit, in {unit}";
    prescribed_speed_hint(from, to): "{from} to {to}. Kept: never faster.", "{from} bis {to}. Eingehalten: nie schneller.";
    prescribed_speed_wrong(from, to): "Give {from} to {to}, or nothing.", "Geben Sie {from} bis {to} an, oder nichts.";
    prescribed_sessions_are(n): "{n} sessions a week", "{n} Trainings je Woche";
    prescribed_reverse_is(time): "{time} in reverse a session", "{time} rückwärts je Training";
    prescribed_speed_is(speed): "at most {speed}", "höchstens {speed}";
    prescribed_interval_is(time): "intervals of {time}", "Intervalle von {time}";
    prescribed_weeks_are(n): "for {n} weeks", "für {n} Wochen";
    prescribed_of(code): "Course {code}: what is prescribed", "Verlauf {code}: Vorgaben";
    hand_over_of(code): "Hand over course {code}", "Verlauf {code} übergeben";
    course_end_of(code): "End course {code}?", "Verlauf {code} beenden?";
    compared_sessions(done, prescribed): "Sessions: {done} of {prescribed}", "Trainings: {done} von {prescribed}";
    compared_reverse(done, prescribed): "In reverse a session: {done}, at least {prescribed}", "Rückwärts je Training: {done}, mindestens {prescribed}";
    compared_speed(done, prescribed): "Greatest speed: {done}, at most {prescribed}", "Größte Geschwindigkeit: {done}, höchstens {prescribed}";
    compared_interval(done, prescribed): "Median interval: {done}, about {prescribed}", "Intervall im Median: {done}, etwa {prescribed}";
    compared_other(field, done, prescribed): "{field}: {done}, prescribed {prescribed}", "{field}: {done}, vorgegeben {prescribed}";
    course_intervals_are(n, longest): "{n}, longest {longest}", "{n}, längstes {longest}";
    course_days_are(n): "{n} d", "{n} T.";
    course_chart_top(time): "Top: {time}.", "Oben: {time}.";
    course_chart_week(week, reverse, unknown): "{week}: reverse {reverse}, direction unknown {unknown}", "{week}: rückwärts {reverse}, Richtung unbekannt {unknown}";
    course_sessions_cut(shown, all): "The newest {shown} of {all} sessions are shown.", "Die neuesten {shown} von {all} Trainings werden gezeigt.";
    course_weeks_cut(shown, all): "The newest {shown} of {all} weeks are shown.", "Die neuesten {shown} von {all} Wochen werden gezeigt.";
    session_reverse(time): "reverse {time}", "rückwärts {time}";
    session_unknown(time): "direction unknown {time}", "Richtung unbekannt {time}";
    session_speed(speed): "greatest speed in reverse {speed}", "größte Geschwindigkeit rückwärts {speed}";
    session_step(speed): "{speed} faster than the time before", "{speed} schneller als beim vorigen Mal";
    session_incidents(n): "incidents: {n}", "Vorfälle: {n}";
    session_seen(percent): "seen for {percent} %", "zu {percent} % zu sehen";
    session_interval_after(what, length): "then {what} for {length}", "danach: {what}, {length}";
    label_course_owner(code, owner): "{code} ({owner})", "{code} ({owner})";
    label_course_ended(code): "{code} (ended)", "{code} (beendet)";
}
