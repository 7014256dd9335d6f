"""Head against base: what samples of two versions allow to be said, and when.

    looks       how strict each of several looks must be, so that looking often does not decide by luck
    comparison  evidence of one side, the ratio of two sides, its interval and its probabilities
    series      samples of one side -> evidence; what blocks have in common taken out
    quantities  what each metric is made of, and its ratio
    faults      why samples cannot be compared at all
    metrics     one metric at one look: status, interval, smallest detectable effect, what deciding would take
    budgets     absolute limits held against bounds
    schedule    blocks and looks that a policy amounts to
    sequence    the looks in order: what was decided where, and what is to be measured next
    verdict     samples and policy -> Verdict
    stored      a base that was measured earlier
    selftest    the same gate on resampled environments of the user's own measurement

Every module is a pure function of samples and policy. Each imports only from those above it.
"""
