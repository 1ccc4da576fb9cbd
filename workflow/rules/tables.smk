"""Tables and figures: a rule each, tabulate_{name} and plot_{name}, from the rows of rows.smk."""

for row in (*TABLE_ROWS, *FIGURE_ROWS):

    rule:
        name:
            row["name"]
        input:
            row["after"],
            **row["input"],
        output:
            **row["output"],
        log:
            log_of(row["name"], outputs.wildcards_in(row["output"])),
        localrule: True
        conda:
            ENV
        threads: 1
        resources:
            **asks(row["mem_mb"], 5),
        params:
            **row["params"],
        message:
            f"Running {row['name']}"
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
