"""Simulate: frames and catalogues of a sky that a seed makes, in the archive's own formats.

The truth about the sources goes into columns of their own: nothing is measured with it.
"""

SIMULATED = one_of(name for name, sky in RUN.skies.items() if sky.simulated)


rule simulate_field:
    """The five frames of a field, their SHA-256, and the truth about its sources."""
    output:
        frames=expand(FRAME, band=config["bands"], allow_missing=True),
        records=expand(f"{FRAME}.sha256", band=config["bands"], allow_missing=True),
        truth=fill(TRUTH, field=OF_FIELD),
    log:
        log_of("simulate_field", OF_FIELD),
    benchmark:
        benchmark_of("simulate_field", OF_FIELD)
    wildcard_constraints:
        sky=SIMULATED,
    conda:
        ENV
    threads: 1
    resources:
        **asks(500, 5),
    params:
        **command(
            "simulate_field",
            field=lambda wildcards: fill(OF_FIELD, **wildcards),
            bands=BANDS,
            origin=lambda wildcards: OF.sky(wildcards).record,
        ),
    message:
        "Simulating field {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}-{wildcards.number}"
    shell:
        JOB


rule measure_field:
    """The sources of a simulated field, detected and measured on its five frames, with the truth about each."""
    input:
        unpack(frames_of),
        truth=TRUTH,
    output:
        measured=MEASURED,
    log:
        log_of("measure_field", "{field}"),
    benchmark:
        benchmark_of("measure_field", "{field}")
    conda:
        ENV
    threads: 1
    resources:
        **asks(900, 10),
    params:
        **command("measure_field", field=lambda wildcards: wildcards.field, bands=BANDS),
    message:
        "Measuring the sources of field {wildcards.field}"
    shell:
        JOB


rule list_detections:
    """The sources of a simulated field as they were measured, with the truth about each."""
    input:
        measured=MEASURED,
    output:
        detections=fill(SOURCES, positions="detections"),
    log:
        log_of("list_detections", "{field}"),
    wildcard_constraints:
        sky=SIMULATED,
    group:
        "patches"
    conda:
        ENV
    threads: 1
    resources:
        **asks(300, 5),
    params:
        **command("list_detections", field=lambda wildcards: wildcards.field),
    message:
        "Listing the sources of field {wildcards.field}"
    shell:
        JOB


rule simulate_catalog:
    """The stars or galaxies of a camcol, each once, in the format of the archive."""
    input:
        measured=lambda wildcards: paths_of(MEASURED, OF.of_camcol(wildcards), sky=wildcards.sky),
    output:
        catalog=CATALOG,
        record=f"{CATALOG}.sha256",
    log:
        log_of("simulate_catalog", "{rerun}-{run}-{camcol}-{kind}"),
    wildcard_constraints:
        sky=SIMULATED,
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(400, 5),
    params:
        **command(
            "simulate_catalog",
            of_fields=["measured"],
            fields=lambda wildcards: format_fields(OF.of_camcol(wildcards)),
            kind=lambda wildcards: wildcards.kind,
        ),
    message:
        "Writing the {wildcards.kind} catalogue of {wildcards.rerun}-{wildcards.run}-{wildcards.camcol}"
    shell:
        JOB
