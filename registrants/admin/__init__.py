"""The staff pages about clients, lists, people and who works here, one page a file."""

from registrants.admin.assignment import AssignmentPage
from registrants.admin.audit_trail import AuditTrailPage
from registrants.admin.client import ClientPage
from registrants.admin.client_domain import ClientDomainPage
from registrants.admin.mailing_list import MailingListPage
from registrants.admin.registrant import RegistrantPage
from registrants.admin.service import ServicePage
from registrants.admin.staff import StaffMemberPage

__all__ = [
    "AssignmentPage",
    "AuditTrailPage",
    "ClientDomainPage",
    "ClientPage",
    "MailingListPage",
    "RegistrantPage",
    "ServicePage",
    "StaffMemberPage",
]
