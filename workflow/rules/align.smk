"""Align: the five bands of a field on the pixel grid of r, and how well they lie on each other."""


rule align_field:
    """The cube of a field with its SHA-256, and its summary and PSF, which jobs over many fields read."""
    input:
        unpack(frames_of),
    output:
        cube=CUBE,
        record=f"{CUBE}.sha256",
        summary=ALIGNMENT,
        psf=PSF,
    log:
        log_of("align_field", "{field}"),
    benchmark:
        benchmark_of("align_field", "{field}")
    wildcard_constraints:
        sky=one_of(IN_STEPS),
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 10),
    params:
        **command(
            "align_field",
            field=lambda wildcards: wildcards.field,
            bands=BANDS,
            release=OF.release,
            address=OF.address,
            **config["align"],
        ),
    message:
        "Aligning the bands of field {wildcards.field}"
    shell:
        JOB
