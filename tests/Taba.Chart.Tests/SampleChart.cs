namespace Taba.Chart.Tests;

/// <summary>
/// A copy of the chart with one rule and one dashboard of its own, so that golden files do not change with those that are shipped.
/// </summary>
sealed class SampleChart : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taba-chart-");

    public SampleChart(bool withFiles = true)
    {
        foreach (var file in Directory.GetFiles(ChartFiles.Chart, "*", SearchOption.AllDirectories))
        {
            var name = System.IO.Path.GetRelativePath(ChartFiles.Chart, file);
            if (!name.StartsWith("files", StringComparison.Ordinal))
                Write(name, File.ReadAllText(file));
        }
        if (!withFiles)
            return;
        Write("files/rules/taba.yaml", """
            # A comment.
            groups:
              - name: taba
                rules:
                  - alert: TabaSiloGone
                    expr: up{job="taba"} == 0
                    for: 5m
                    annotations:
                      summary: '{{ $labels.instance }} is gone'

            """);
        Write("files/dashboards/cluster.json", """
            {
              "title": "Taba",
              "panels": [{ "legendFormat": "{{model}}" }]
            }

            """);
    }

    public string Path => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);

    void Write(string name, string text)
    {
        var file = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
