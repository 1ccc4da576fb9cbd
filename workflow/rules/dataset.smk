"""Dataset: the sources of a field by their positions, a patch around each, and the sets that networks read.

{positions} is catalog (the survey's sources), detections (ours, no catalogue needed), or places25 (sources and empty sky
for patches of 25 pixels). No two buckets may share sky: training refuses that, and so does the table of footprints.
"""


rule select_sources:
    """The catalogued sources of a field, each once."""
    input:
        unpack(catalogs_of),
        cube=CUBE,
    output:
        sources=fill(SOURCES, positions="catalog"),
    log:
        log_of("select_sources", "{field}"),
    group:
        "patches"
    conda:
        ENV
    threads: 1
    resources:
        **asks(400, 5),
    params:
        **command(
            "select_sources",
            field=lambda wildcards: wildcards.field,
            neighbours=lambda wildcards: OF.sky(wildcards).neighbours(Field.parse(wildcards.field)),
            **config["sources"],
        ),
    message:
        "Selecting the sources of field {wildcards.field}"
    shell:
        JOB


rule detect_sources:
    """The sources of a field, detected and measured on its five frames as SDSS photo would."""
    input:
        unpack(frames_of),
    output:
        detections=fill(SOURCES, positions="detections"),
    log:
        log_of("detect_sources", "{field}"),
    benchmark:
        benchmark_of("detect_sources", "{field}")
    wildcard_constraints:
        sky=one_of(name for name in IN_STEPS if not RUN.skies[name].simulated),
    conda:
        ENV
    threads: 1
    resources:
        **asks(1400, 10),  # a crowded field of 15,000 sources; most take half
    params:
        **command("detect_sources", field=lambda wildcards: wildcards.field, bands=BANDS),
    message:
        "Detecting the sources of field {wildcards.field}"
    shell:
        JOB


rule place_patches:
    """Sources and empty sky of a field, and what a patch of some size around each shows."""
    input:
        unpack(catalogs_of),
        cube=CUBE,
        sources=fill(SOURCES, positions="catalog"),
    output:
        placed=fill(SOURCES, positions="places{size}"),
    log:
        log_of("place_patches", "{size}/{field}"),
    group:
        "patches"
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command(
            "place_patches",
            field=lambda wildcards: wildcards.field,
            size=lambda wildcards: wildcards.size,
            labels=config["labels"],
        ),
    message:
        "Placing patches of {wildcards.size} pixels on sources and empty sky of field {wildcards.field}"
    shell:
        JOB


rule extract_patches:
    """A patch around each position of a field, and the SHA-256 of them."""
    input:
        cube=CUBE,
        sources=SOURCES,
    output:
        patches=PATCHES,
        record=f"{PATCHES}.sha256",
    log:
        log_of("extract_patches", "{positions}/{size}/{field}"),
    group:
        "patches"
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("extract_patches", size=lambda wildcards: wildcards.size),
    message:
        "Cutting patches of {wildcards.size} pixels from field {wildcards.field}"
    shell:
        JOB


rule list_set:
    """The files of a training set, or of the validation or test fields, with the SHA-256 of each."""
    input:
        sources=OF.of_set(SOURCES),
        patches=OF.of_set(PATCHES),
        summaries=OF.of_set(ALIGNMENT),
        psfs=OF.of_set(PSF),
    output:
        listed=SET,
    log:
        log_of("list_set", "{positions}/{size}/{set}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(300, 5),
    params:
        **command(
            "list_set",
            of_fields=["sources", "patches", "summaries", "psfs"],
            sky=OF.label,
            fields=lambda wildcards: format_fields(RUN.fields_of_set(wildcards.sky, wildcards.set)),
        ),
    message:
        "Listing the files of set {wildcards.set}"
    shell:
        JOB
