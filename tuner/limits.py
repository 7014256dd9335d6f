"""Limits of AWS Lambda, each with its source. The one place to change when AWS raises one."""

SMALLEST_MB, LARGEST_MB = 128, 10_240
"""Memory size of a function (AWS Lambda developer guide, "Configure Lambda function memory")."""

SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S = 1, 1_800
"""Timeout of a function: 900 s until November 2026, since then 1,800 s for ordinary functions (the service model in
botocore 1.44.7 of 2026-11-19)."""

MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
"""Deployment package, unzipped (AWS Lambda developer guide, "Lambda quotas")."""
