"""Pictures: the sky as it came and as it was aligned, patches, and the statistics of both.

Needs frames, cubes, sources, patches and their tables; makes results/{sky}/figures. One field of each bucket is shown;
any other can be asked for by name.
"""

EXAMPLES = [fields_in(bucket)[0] for bucket in settings.BUCKETS]


rule plot_cutouts:
    """A cut-out of a field as downloaded, aligned, and with its sources marked."""
    input:
        unpack(frames_of),
        cube=CUBE,
        sources=SOURCES,
        style=STYLE,
        code=code_of("plot_cutouts"),
    output:
        report(
            f"{FIGURES}/cutouts/{{field}}.png",
            category="Data",
            labels={"what": "{field} before and after alignment", "form": "picture"},
            caption="../report/cutouts.rst",
        ),
    log:
        f"{LOGS}/plot_cutouts/{{field}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=600,
        runtime=5,
    params:
        sky=SKY_NAME,
    message:
        "Showing a cut-out of field {wildcards.field}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} {input.frames:q} --cube {input.cube:q} --sources {input.sources:q} --figure {output:q}"
        " 2> {log:q}"


rule plot_patches:
    """Example patches of stars and galaxies of a field."""
    input:
        sources=SOURCES,
        patches=PATCHES,
        style=STYLE,
        code=code_of("plot_patches"),
    output:
        report(
            f"{FIGURES}/patches/{{size}}/{{field}}.png",
            category="Data",
            labels={"what": "patches of {size} pixels of {field}", "form": "picture"},
            caption="../report/patches.rst",
        ),
    log:
        f"{LOGS}/plot_patches/{{size}}/{{field}}.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
        bands="".join(config["bands"]),
    message:
        "Showing patches of field {wildcards.field}"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --sources {input.sources:q} --patches {input.patches:q} --bands {params.bands}"
        " --figure {output:q} 2> {log:q}"


rule plot_alignment:
    """Offsets between the bands before and after the refinement."""
    input:
        table=f"{TABLES}/alignment.csv",
        style=STYLE,
        code=code_of("plot_alignment"),
    output:
        report(
            f"{FIGURES}/alignment.svg",
            category="Data",
            labels={"what": "alignment of the bands", "form": "figure"},
            caption="../report/alignment.rst",
        ),
    log:
        f"{LOGS}/plot_alignment.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
    message:
        "Drawing the residuals of the alignment"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --table {input.table:q} --figure {output:q} 2> {log:q}"


rule plot_statistics:
    """Sources by bucket, magnitude and size."""
    input:
        counts=f"{TABLES}/sources.csv",
        magnitudes=f"{TABLES}/magnitudes.csv",
        sizes=f"{TABLES}/sizes.csv",
        style=STYLE,
        code=code_of("plot_statistics"),
    output:
        report(
            f"{FIGURES}/statistics.svg",
            category="Data",
            labels={"what": "sources by bucket, magnitude and size", "form": "figure"},
            caption="../report/sources.rst",
        ),
    log:
        f"{LOGS}/plot_statistics.log",
    localrule: True
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sky=SKY_NAME,
    message:
        "Drawing the statistics of the sources"
    shell:
        "python {input.code[0]:q} --sky {params.sky:q} --counts {input.counts:q} --magnitudes {input.magnitudes:q} --sizes {input.sizes:q}"
        " --figure {output:q} 2> {log:q}"


PICTURE_FILES = [
    f"{FIGURES}/alignment.svg",
    f"{FIGURES}/statistics.svg",
    *paths_of(f"{FIGURES}/cutouts/{{field}}.png", EXAMPLES),
    *paths_of(f"{FIGURES}/patches/{config['patches']['size']}/{{field}}.png", EXAMPLES),
]
