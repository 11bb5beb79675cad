//! Texts of enrolment: codes with which agents get credentials, and agents that wait.

use super::{sentences, texts};

texts! {
    enrolment: "Enrolment", "Anmeldung von Agenten";
    part_enrolments: "Enrolment", "Anmeldung von Agenten";
    enrolment_waiting: "Agents that wait for approval", "Agenten, die auf Freigabe warten";
    enrolment_none: "No agent waits.", "Kein Agent wartet.";
    enrolment_digits: "Digits", "Ziffern";
    enrolment_name: "Calls itself", "Nennt sich";
    enrolment_from: "From", "Von";
    enrolment_since: "Since", "Seit";
    enrolment_approve: "Approve", "Freigeben";
    enrolment_refuse: "Refuse", "Ablehnen";
    enrolment_approve_lead: "Compare the six digits with those that the computer beside the machine shows. Only if they are the same is it the one that you mean.", "Vergleichen Sie die sechs Ziffern mit denen, die der Rechner beim Gerät zeigt. Nur wenn sie gleich sind, ist es der, den Sie meinen.";
    enrolment_refuse_lead: "The agent gets no credential and ends. It can be started again with a code that is still good.", "Der Agent bekommt keinen Zugang und endet. Er kann mit einem noch gültigen Code neu gestartet werden.";
    enrolment_as: "As the agent of", "Als Agent für";
    enrolment_as_new: "a new machine", "ein neues Gerät";
    enrolment_as_known: "a machine that is registered: it takes the place of its agent", "ein angelegtes Gerät: er ersetzt dessen Agenten";
    enrolment_machine_hint: "Of a new machine: lower-case letters, digits and hyphens, at most 64, never to be changed. Of a registered one: its id.", "Bei einem neuen Gerät: Kleinbuchstaben, Ziffern und Bindestriche, höchstens 64, nie zu ändern. Bei einem angelegten: seine Kennung.";
    enrolment_machine_wrong: "Use the id of a registered machine of this site, or a new one of 1 to 64 lower-case letters, digits and hyphens.", "Erlaubt ist die Kennung eines angelegten Geräts dieses Studios oder eine neue aus 1 bis 64 Kleinbuchstaben, Ziffern und Bindestrichen.";
    enrolment_gone: "This agent does not wait any more.", "Dieser Agent wartet nicht mehr.";
    enrolment_codes: "Codes", "Codes";
    enrolment_codes_none: "No code was made.", "Es wurde kein Code gemacht.";
    enrolment_code_for: "For", "Für";
    enrolment_came: "Came", "Gekommen";
    enrolment_code_add: "Make a code for a site", "Code für ein Studio machen";
    enrolment_code_add_lead: "With this code agents come to a site, and each waits until staff approve it. For one machine alone make a code in the list of machines.", "Mit diesem Code kommen Agenten zu einem Studio, und jeder wartet, bis das Personal ihn freigibt. Für ein einzelnes Gerät machen Sie den Code in der Liste der Geräte.";
    enrolment_days: "Days", "Tage";
    enrolment_days_hint: "How long it is good: 1 to 30.", "Wie lange er gilt: 1 bis 30.";
    enrolment_days_wrong: "Use a number from 1 to 30.", "Erlaubt ist eine Zahl von 1 bis 30.";
    enrolment_machines: "Machines", "Geräte";
    enrolment_machines_hint: "How many agents may come with it: 1 to 200.", "Wie viele Agenten damit kommen dürfen: 1 bis 200.";
    enrolment_machines_wrong: "Use a number from 1 to 200.", "Erlaubt ist eine Zahl von 1 bis 200.";
    enrolment_code_machine: "Enrolment code", "Anmeldecode";
    enrolment_code_machine_lead: "This makes a code with which an agent becomes the one of this machine. It is good for an hour, once, and is shown on the next page. The agent that the machine has goes on until the new one has spoken.", "Das macht einen Code, mit dem ein Agent zu dem dieses Geräts wird. Er gilt eine Stunde, einmal, und wird auf der nächsten Seite gezeigt. Der bisherige Agent arbeitet weiter, bis der neue gesprochen hat.";
    enrolment_code_once: "It is shown this once. Type it on the computer beside the machine, or scan the command.", "Er wird nur dieses Mal gezeigt. Tippen Sie ihn am Rechner beim Gerät ein, oder scannen Sie den Befehl.";
    enrolment_code_qr: "QR code with the command", "QR-Code mit dem Befehl";
    enrolment_command: "The command:", "Der Befehl:";
    enrolment_revoke: "End", "Beenden";
    enrolment_revoke_lead: "No agent can come with it any more. Those that wait go on waiting: approve or refuse them.", "Kein Agent kann mehr damit kommen. Wer schon wartet, wartet weiter: geben Sie frei oder lehnen Sie ab.";
    enrolment_no_code: "There is no such code that you may end.", "Es gibt keinen solchen Code, den Sie beenden dürfen.";
    code_open: "good", "gültig";
    code_used: "used", "benutzt";
    code_expired: "expired", "abgelaufen";
    code_revoked: "ended", "beendet";
    code_tried_out: "tried wrongly too often", "zu oft falsch versucht";
    did_enrolment_code_made: "enrolment code made", "Anmeldecode gemacht";
    did_enrolment_code_revoked: "enrolment code ended", "Anmeldecode beendet";
    did_enrolment_code_tried: "wrong enrolment code", "falscher Anmeldecode";
    did_machine_enrolled: "agent enrolled", "Agent angemeldet";
    did_enrolment_asked: "agent asks for approval", "Agent bittet um Freigabe";
    did_enrolment_approved: "agent approved", "Agent freigegeben";
    did_enrolment_refused: "agent refused", "Agent abgelehnt";
}

sentences! {
    enrolment_approve_of(digits): "Approve the agent with the digits {digits}", "Agent mit den Ziffern {digits} freigeben";
    enrolment_refuse_of(digits): "Refuse the agent with the digits {digits}?", "Agent mit den Ziffern {digits} ablehnen?";
    enrolment_code_of(id): "Make an enrolment code for {id}?", "Anmeldecode für {id} machen?";
    enrolment_code_made(id): "An enrolment code for {id}", "Ein Anmeldecode für {id}";
    enrolment_revoke_of(id): "End the code {id}?", "Den Code {id} beenden?";
    enrolment_until(time): "Good until {time} UTC.", "Gültig bis {time} UTC.";
    enrolment_approved(id): "Approved as the agent of {id}. It collects its credential within seconds.", "Als Agent für {id} freigegeben. Er holt seinen Zugang in wenigen Sekunden.";
    enrolment_refused(id): "The agent {id} is refused.", "Der Agent {id} ist abgelehnt.";
    enrolment_code_ended(id): "The code {id} is ended.", "Der Code {id} ist beendet.";
    enrolment_came_of(came, most): "{came} of {most}", "{came} von {most}";
}
