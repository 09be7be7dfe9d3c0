"""The facts about clients, lists, people and their choices, one model a file."""

from registrants.models.assignment import Assignment
from registrants.models.client import Client
from registrants.models.client_domain import ClientDomain
from registrants.models.consent_event import ConsentEvent
from registrants.models.consent_evidence import ConsentEvidence
from registrants.models.enrolment import Enrolment
from registrants.models.mailing_list import MailingList
from registrants.models.registrant import Choice, Registrant
from registrants.models.service import Service
from registrants.models.subscription import Subscription
from registrants.models.suppression import Suppression
from registrants.models.wording import Wording

__all__ = [
    "Assignment",
    "Choice",
    "Client",
    "ClientDomain",
    "ConsentEvent",
    "ConsentEvidence",
    "Enrolment",
    "MailingList",
    "Registrant",
    "Service",
    "Subscription",
    "Suppression",
    "Wording",
]
