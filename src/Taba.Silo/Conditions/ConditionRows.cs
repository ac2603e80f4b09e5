using Taba.Diffusion.Conditions;
using Taba.Diffusion.Tensors;
using Taba.Silo.Models;
using Taba.Silo.Rows;

namespace Taba.Silo.Conditions;

/// <summary>Class ids of rows, wherever they come from.</summary>
static class ConditionRows
{
    public static long[] Classes(RowsRef source, ModelIdentity model, RowRange rows)
    {
        switch (source)
        {
            case FileRows file:
                using (var tensors = TensorFile.Open(file.Path))
                    return StateFile.ReadLabels(tensors.Single("conds"), rows);
            case ListedClassRows listed:
                return [.. Enumerable.Range(rows.Start, rows.Count).Select(row => listed.Ids[row / listed.NoisesPerPrompt])];
            case DrawnClassRows drawn:
                var last = (rows.End + drawn.NoisesPerPrompt - 1) / drawn.NoisesPerPrompt;
                var ids = ClassDraw.Ids(drawn.CondSeed, last, ModelDefinitions.Of(model).Labels());
                return [.. Enumerable.Range(rows.Start, rows.Count).Select(row => ids[row / drawn.NoisesPerPrompt])];
            default:
                throw new InvalidOperationException($"Classes cannot come from {source}.");
        }
    }
}
