using System.Text;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Engines;

/// <summary>
/// Counts network evaluations in the store, in a page that survives a kill, and, when asked, appends each to a file. Both
/// happen before the forward pass: nothing is computed that is not on record.
/// </summary>
sealed class EvaluationJournal : IEvaluationJournal, IDisposable
{
    readonly EvaluationCounter _counter;
    readonly FileStream? _file;
    readonly StringBuilder _lines = new();

    public EvaluationJournal(EvaluationCounter counter, IOptions<EngineSettings> settings)
    {
        _counter = counter;
        if (settings.Value.EvaluationJournal is { Length: > 0 } path)
            _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    public void Evaluating(ReadOnlySpan<EvaluationRecord> rows)
    {
        _counter.Add(rows.Length);
        foreach (var row in rows)
            (row.Tag as EvaluationTag)?.Part?.CountBegun(1);
        if (_file is null)
            return;
        lock (_lines)
        {
            _lines.Clear();
            foreach (var row in rows)
            {
                var tag = (EvaluationTag)row.Tag!;
                _lines.Append(tag.StageKey).Append(' ').Append(tag.Sample).Append(' ').Append(row.Step).Append('\n');
            }
            _file.Write(Encoding.ASCII.GetBytes(_lines.ToString()));
        }
    }

    public void Dispose() => _file?.Dispose();
}
