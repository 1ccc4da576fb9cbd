"""Patches: which sources a field has, and a patch around each.

Needs the cubes and the catalogues; makes sources/{field}.parquet, patches/{size}/{field}.npy, row for row alike, the lists
sets/{size}/{set}.csv that networks learn from and classify, and statistics. No two buckets may share sky: training refuses that, and check_buckets stands before every table of scores.
"""


rule select_sources:
    """The catalogued sources of a field, each once."""
    input:
        unpack(catalogs_of),
        cube=CUBE,
    output:
        SOURCES,
    log:
        f"{LOGS}/select_sources/{{field}}.log",
    group:
        "patches"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(400),
        runtime=grows(5),
    params:
        script=code_of("select_sources")[0],
        code=digest_of("select_sources"),
        neighbours=lambda wildcards: option("neighbours", neighbours_of(wildcards)),
        magnitude_limit=option("magnitude-limit", config["sources"]["magnitude_limit"]),
        reject_flags=option("reject-flags", ",".join(config["sources"]["reject_flags"])),
    message:
        "Selecting the sources of field {wildcards.field}"
    shell:
        "python {params.script:q} --cube {input.cube:q} --star {input.star:q} --gal {input.gal:q}"
        " --field {wildcards.field} {params.neighbours} {params.magnitude_limit} {params.reject_flags}"
        " --sources {output:q} 2> {log:q}"


rule extract_patches:
    """A patch around each source of a field, and the SHA-256 of them."""
    input:
        cube=CUBE,
        sources=SOURCES,
    output:
        patches=PATCHES,
        record=f"{PATCHES}.sha256",
    log:
        f"{LOGS}/extract_patches/{{size}}/{{field}}.log",
    group:
        "patches"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(600),
        runtime=grows(5),
    params:
        script=code_of("extract_patches")[0],
        code=digest_of("extract_patches"),
    message:
        "Cutting patches of {wildcards.size} pixels from field {wildcards.field}"
    shell:
        "python {params.script:q} --cube {input.cube:q} --sources {input.sources:q} --size {wildcards.size}"
        " --patches {output.patches:q} 2> {log:q}"


rule list_set:
    """The files of a training set, or of the validation or test fields, with the SHA-256 of each."""
    input:
        sources=lambda wildcards: paths_of(SOURCES, fields_of_set(wildcards.set)),
        patches=lambda wildcards: paths_of(PATCHES, fields_of_set(wildcards.set), size=wildcards.size),
        reports=lambda wildcards: paths_of(ALIGNMENT, fields_of_set(wildcards.set)),
        code=code_of("list_set"),
    output:
        SET,
    log:
        f"{LOGS}/list_set/{{size}}/{{set}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
    params:
        sky=SKY_NAME,
        fields=lambda wildcards: format_fields(fields_of_set(wildcards.set)),
        sources=lambda _: SOURCES,
        patches=lambda wildcards: PATCHES.replace("{size}", wildcards.size),
        reports=lambda _: ALIGNMENT,
    message:
        "Listing the files of set {wildcards.set}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --fields {params.fields:q} --sources {params.sources:q}"
        " --patches {params.patches:q} --reports {params.reports:q} --output {output:q} 2> {log:q}"


rule check_buckets:
    """Where the fields lie and how far each is from the other buckets; an error if two buckets share sky."""
    input:
        reports=paths_of(ALIGNMENT, fields_in(*settings.BUCKETS)),
        code=code_of("check_buckets"),
    output:
        report(
            FOOTPRINTS,
            category="Data",
            labels={"what": "footprints of the fields", "form": "table"},
            caption="../report/footprints.rst",
        ),
    log:
        f"{LOGS}/check_buckets.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
    params:
        sky=SKY_NAME,
        reports=lambda _: ALIGNMENT,
        buckets=bucket_options(),
    message:
        "Checking that no two buckets share sky"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --reports {params.reports:q} {params.buckets} --table {output:q} 2> {log:q}"


rule tabulate_sources:
    """Statistics of the sources by field, bucket and class."""
    input:
        sources=paths_of(SOURCES, fields_in(*settings.BUCKETS)),
        code=code_of("tabulate_sources"),
    output:
        counts=report(
            f"{TABLES}/sources.csv",
            category="Data",
            labels={"what": "sources by field and bucket", "form": "table"},
            caption="../report/sources.rst",
        ),
        magnitudes=report(
            f"{TABLES}/magnitudes.csv",
            category="Data",
            labels={"what": "sources by magnitude", "form": "table"},
            caption="../report/sources.rst",
        ),
        sizes=report(
            f"{TABLES}/sizes.csv",
            category="Data",
            labels={"what": "sources by size", "form": "table"},
            caption="../report/sources.rst",
        ),
    log:
        f"{LOGS}/tabulate_sources.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=300,
        runtime=5,
    params:
        sky=SKY_NAME,
        sources=lambda _: SOURCES,
        buckets=bucket_options(),
        size=config["patches"]["size"],
    message:
        "Counting sources"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --sources {params.sources:q} {params.buckets} --size {params.size}"
        " --counts {output.counts:q} --magnitudes {output.magnitudes:q} --sizes {output.sizes:q} 2> {log:q}"


DATA_FILES = [
    f"{TABLES}/alignment.csv",
    FOOTPRINTS,
    f"{TABLES}/sources.csv",
    f"{TABLES}/magnitudes.csv",
    f"{TABLES}/sizes.csv",
]
