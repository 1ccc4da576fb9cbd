"""Tables and figures: a rule each, tabulate_{name} and plot_{name}, from the rows of rows.smk."""

for made in (*TABLE_ROWS, *FIGURE_ROWS):

    rule:
        name:
            made["name"]
        input:
            made["after"],
            **made["input"],
        output:
            **made["output"],
        log:
            log_of(made["name"], outputs.wildcards_in(made["output"])),
        localrule: True
        conda:
            ENV
        threads: 1
        resources:
            **asks(made["mem_mb"], 5),
        params:
            **made["params"],
        message:
            f"Running {made['name']}"
        shell:
            JOB


rule plot_cutouts:
    """A cut-out of a field as downloaded, aligned, and with its sources marked."""
    input:
        unpack(frames_of),
        cube=CUBE,
        sources=fill(SOURCES, positions="catalog"),
    output:
        figure=shown(
            f"{FIGURES}/cutouts/{{field}}.png", "{field} before and after alignment", "cutouts", "Data"
        ),
    log:
        log_of("plot_cutouts", "{field}"),
    localrule: True
    conda:
        ENV
    threads: 1
    resources:
        **asks(600, 5),
    params:
        **command("plot_cutouts", sky=OF.label),
    message:
        "Drawing a cut-out of field {wildcards.field}"
    shell:
        JOB
