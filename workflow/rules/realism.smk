"""Realism: how like a real sky the simulated one is, field by field in the same numbers by the same code."""


rule describe_field:
    """A field, simulated or real, in the numbers that are compared."""
    input:
        unpack(frames_of),
    output:
        description=DESCRIPTION,
    log:
        log_of("describe_field", "{field}"),
    conda:
        ENV
    threads: 1
    resources:
        **asks(900, 10),
    params:
        **command("describe_field", sky=OF.label, field=lambda wildcards: wildcards.field, bands=BANDS),
    message:
        "Describing field {wildcards.field}"
    shell:
        JOB
