"""Classify: the sources of whole fields, found without a catalogue, with the probability that each is a star.

Needs the frames and cubes of the fields in classify.fields and a classifier, this run's own or one from elsewhere; makes
results/{sky}/detections/{field}.parquet and results/{sky}/catalogs/{field}.fits and .parquet.
"""

TO_CLASSIFY = sorted(set(map(Field.parse, config["classify"]["fields"])))
GIVEN_CLASSIFIER = config["classify"]["classifier"] or CLASSIFIER
DETECTIONS = f"{RESULTS}/detections/{{field}}.parquet"
FIELD_CATALOG = f"{RESULTS}/catalogs/{{field}}"


rule detect_sources:
    """The sources of a field, found and measured on its five frames as SDSS photo would."""
    input:
        unpack(frames_of),
    output:
        DETECTIONS,
    log:
        f"{LOGS}/detect_sources/{{field}}.log",
    benchmark:
        f"{BENCHMARKS}/detect_sources/{{field}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(900),
        runtime=grows(10),
    params:
        script=code_of("detect_sources")[0],
        code=digest_of("detect_sources"),
        bands="".join(config["bands"]),
    message:
        "Detecting the sources of field {wildcards.field}"
    shell:
        "python {params.script:q} {input.frames:q} --field {wildcards.field} --bands {params.bands}"
        " --detections {output:q} 2> {log:q}"


rule classify_field:
    """The catalogue of a field, with the probability that each source is a star."""
    input:
        cube=CUBE,
        detections=DETECTIONS,
        model=f"{GIVEN_CLASSIFIER}/model.keras",
        description=f"{GIVEN_CLASSIFIER}/classifier.json",
    output:
        fits=f"{FIELD_CATALOG}.fits",
        parquet=f"{FIELD_CATALOG}.parquet",
    log:
        f"{LOGS}/classify_field/{{field}}.log",
    benchmark:
        f"{BENCHMARKS}/classify_field/{{field}}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        script=code_of("classify_field")[0],
        code=digest_of("classify_field"),
        sky=SKY_NAME,
    message:
        "Classifying the sources of field {wildcards.field}"
    shell:
        "python {params.script:q} --sky {params.sky:q} --field {wildcards.field} --cube {input.cube:q}"
        " --detections {input.detections:q} --model {input.model:q} --description {input.description:q}"
        " --fits {output.fits:q} --parquet {output.parquet:q} 2> {log:q}"


rule tabulate_catalogs:
    """What the catalogues hold, and how they compare with the survey's where there is one."""
    input:
        catalogs=paths_of(f"{FIELD_CATALOG}.parquet", TO_CLASSIFY),
        sources=paths_of(SOURCES, [field for field in TO_CLASSIFY if field in BUCKETS]),
        code=code_of("tabulate_catalogs"),
    output:
        report(
            f"{TABLES}/catalogs.csv",
            category="Classifier",
            labels={"what": "catalogues of classified fields", "form": "table"},
            caption="../report/catalogs.rst",
        ),
    log:
        f"{LOGS}/tabulate_catalogs.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        catalogs=lambda _: f"{FIELD_CATALOG}.parquet",
        sources=lambda _: SOURCES,
        fields=" ".join(
            option(
                bucket or "new",
                format_fields(field for field in TO_CLASSIFY if BUCKETS.get(field) == bucket),
            )
            for bucket in (*settings.BUCKETS, None)
        ),
        labels=config["labels"],
        resamples=config["evaluation"]["resamples"],
    message:
        "Counting what the catalogues hold"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --catalogs {params.catalogs:q} --sources {params.sources:q}"
        " {params.fields} --labels {params.labels} --resamples {params.resamples} --table {output:q} 2> {log:q}"


CATALOG_FILES = [
    *paths_of(f"{FIELD_CATALOG}.fits", TO_CLASSIFY),
    *paths_of(f"{FIELD_CATALOG}.parquet", TO_CLASSIFY),
]
CATALOG_TABLES = [f"{TABLES}/catalogs.csv"] if TO_CLASSIFY else []
