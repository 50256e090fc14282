"""How Google says no: status, canonical word, reason and body, for each family of APIs.

The canonical words belong to the status codes as in google.rpc.Code; reasons of Drive are those of its error guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    416: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# status, domain and message of the reasons that Drive documents
REASONS = {
    "authError": (401, "global", "Invalid Credentials"),
    "rateLimitExceeded": (403, "usageLimits", "Rate Limit Exceeded"),
    "userRateLimitExceeded": (403, "usageLimits", "User Rate Limit Exceeded"),
    "dailyLimitExceeded": (403, "usageLimits", "Daily Limit Exceeded"),
    "quotaExceeded": (403, "usageLimits", "The download quota of this day is used up."),
    "downloadQuotaExceeded": (403, "usageLimits", "The download quota for this file has been exceeded."),
    "storageQuotaExceeded": (403, "usageLimits", "The user's Drive storage quota has been exceeded."),
    "sharingRateLimitExceeded": (403, "usageLimits", "Rate limit exceeded for sharing."),
    "accessNotConfigured": (403, "usageLimits", "This API has not been used in the project before or it is disabled."),
    "insufficientPermissions": (403, "global", "Request had insufficient authentication scopes."),
    "insufficientFilePermissions": (403, "global", "The user does not have sufficient permissions for this file."),
    "appNotAuthorizedToFile": (403, "global", "The user has not granted the app access to the file."),
    "domainPolicy": (403, "global", "The domain administrators have disabled Drive apps."),
    "fileNotDownloadable": (403, "global", "Only files with binary content can be downloaded directly."),
    "cannotDownloadFile": (403, "global", "This file cannot be downloaded by the user."),
    "cannotDownloadAbusiveFile": (403, "global", "This file was identified as malware or spam; it is not downloaded."),
    "forbidden": (403, "global", "The user does not have access."),
    "notFound": (404, "global", "Not found."),
    "backendError": (500, "global", "Backend Error"),
    "internalError": (500, "global", "Internal Error"),
}

MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or another valid "
    "authentication credential.",
    403: "Request had insufficient authentication scopes.",
    404: "Requested entity was not found.",
    408: "The request took too long.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}

_REASON_OF = {400: "badRequest", 401: "authError", 403: "forbidden", 404: "notFound", 408: "requestTimeout"} | {
    412: "conditionNotMet",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    500: "internalError",
    503: "backendError",
}


@dataclass
class ApiError(Exception):
    """An answer that is an error.

    Args:
        status: HTTP status.
        message: the sentence in the body; empty means the usual one.
        reason: Drive's reason, or OAuth's ``error``; empty means the usual one.
        word: canonical word, such as ``FAILED_PRECONDITION``; empty means the status's.
        headers: further headers, such as ``Retry-After``.
        details: the body's ``details``.
    """

    status: int
    message: str = ""
    reason: str = ""
    word: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)

    def body(self, family: str) -> dict[str, Any]:
        """The JSON of this error.

        Args:
            family: ``drive`` has ``errors`` with reasons, ``oauth`` has ``error`` and ``error_description``; all
                others have ``status``.
        """
        message = self.message or self._usual_message()
        if family == "oauth":
            return {"error": self.reason or "server_error", "error_description": message}
        reason = self.reason or _REASON_OF.get(self.status, "backendError")
        domain = REASONS.get(reason, (0, "global", ""))[1]
        error: dict[str, Any] = {"code": self.status, "message": message}
        if family == "drive" or self.reason:
            error["errors"] = [{"message": message, "domain": domain, "reason": reason}]
        if family != "drive" or self.status == 401:
            error["status"] = self.word or WORDS.get(self.status, "UNKNOWN")
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def _usual_message(self) -> str:
        """What this reason or status says when nothing else is given."""
        if self.reason in REASONS:
            return REASONS[self.reason][2]
        return MESSAGES.get(self.status, "Error")


def because(reason: str, message: str = "") -> ApiError:
    """The error of one of ``REASONS``."""
    return ApiError(REASONS[reason][0], message, reason)


def bad_request(message: str, reason: str = "", word: str = "") -> ApiError:
    """400."""
    return ApiError(400, message, reason, word)


def not_found(message: str = "", reason: str = "") -> ApiError:
    """404."""
    return ApiError(404, message, reason)


def daily_quota(service: str, limit: int, project: str = "123456789012") -> ApiError:
    """429 until the quota's day ends: the limit's name and the message say "per day".

    Args:
        service: the API's host.
        limit: how many requests a day has.
        project: number of the project that asks.
    """
    return _quota_problem(service, "All requests", "All requests per day", limit, project)


def minute_quota(service: str, limit: int, project: str = "123456789012") -> ApiError:
    """429 until the minute ends."""
    return _quota_problem(service, "All requests", "All requests per minute", limit, project)


def _quota_problem(service: str, metric: str, limit_name: str, limit: int, project: str) -> ApiError:
    """429 with the details of the quota that is used up."""
    message = (
        f"Quota exceeded for quota metric '{metric}' and limit '{limit_name}' of service '{service}' for consumer "
        f"'project_number:{project}'."
    )
    metadata = {
        "service": service,
        "quota_metric": f"{service}/all_requests",
        "quota_limit": "ApiCallsPerProjectPerDay" if "day" in limit_name else "ApiCallsPerProjectPerMinute",
        "quota_limit_value": str(limit),
        "consumer": f"projects/{project}",
        "quota_location": "global",
    }
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "googleapis.com",
            "metadata": metadata,
        }
    ]
    return ApiError(429, message, "rateLimitExceeded", details=details)
