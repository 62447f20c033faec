"""What the database keeps, one noun a module; the rules are constraints."""

from cixi_survey.models.approval import WaveApproval
from cixi_survey.models.audit_entry import AuditEntry
from cixi_survey.models.base import Base
from cixi_survey.models.contact import Contact, ContactGiven, ContactOffer, PrizeDraw
from cixi_survey.models.frame import (
    TWO_STAGE,
    DrawnVillage,
    Frame,
    FrameUnit,
    FrameVillage,
    SampleDraw,
    VillageDraw,
    VillageFrame,
)
from cixi_survey.models.invitation import OUTCOMES, ClosedCode, Invitation
from cixi_survey.models.limit_counter import LimitCounter
from cixi_survey.models.notice import Notice
from cixi_survey.models.plan import WavePlan
from cixi_survey.models.questionnaire import (
    QuestionnaireDraft,
    QuestionnaireDraftSave,
    QuestionnaireVersion,
)
from cixi_survey.models.response import (
    MODES,
    RESPONSE_OUTCOMES,
    STREAMS,
    Draft,
    Response,
    ScreenedOut,
)
from cixi_survey.models.run import Publication, Run
from cixi_survey.models.staff import ROLES, Staff, StaffRole, StaffSession
from cixi_survey.models.trial import TrialLink
from cixi_survey.models.wave import (
    BASES,
    LEGAL_BASES,
    SCALES,
    STATES,
    Wave,
    WaveMargin,
    WaveStratum,
)

__all__ = [
    'BASES',
    'LEGAL_BASES',
    'MODES',
    'OUTCOMES',
    'RESPONSE_OUTCOMES',
    'ROLES',
    'SCALES',
    'STATES',
    'STREAMS',
    'TWO_STAGE',
    'AuditEntry',
    'Base',
    'ClosedCode',
    'Contact',
    'ContactGiven',
    'ContactOffer',
    'Draft',
    'DrawnVillage',
    'Frame',
    'FrameUnit',
    'FrameVillage',
    'Invitation',
    'LimitCounter',
    'Notice',
    'PrizeDraw',
    'Publication',
    'QuestionnaireDraft',
    'QuestionnaireDraftSave',
    'QuestionnaireVersion',
    'Response',
    'Run',
    'SampleDraw',
    'ScreenedOut',
    'Staff',
    'StaffRole',
    'StaffSession',
    'TrialLink',
    'VillageDraw',
    'VillageFrame',
    'Wave',
    'WaveApproval',
    'WaveMargin',
    'WavePlan',
    'WaveStratum',
]
